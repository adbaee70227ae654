import { createPublicKey, verify } from 'node:crypto'

/** The fixed beginning of an ed25519 public key in DER (RFC 8410, section 4). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** Whether one of the signatures is a `v1a` by the private key that belongs to `whpk_…`. */
export function isSignedBy(
  publicKey: string,
  { id, timestamp, signatures }: { id: string; timestamp: string; signatures: string },
  body: string,
): boolean {
  const der = Buffer.concat([DER_PREFIX, Buffer.from(publicKey.slice('whpk_'.length), 'base64')])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return signatures.split(' ').some((signature) => {
    const [version, value = ''] = signature.split(',')
    if (version !== 'v1a') return false
    return verify(null, Buffer.from(`${id}.${timestamp}.${body}`), key, Buffer.from(value, 'base64'))
  })
}
