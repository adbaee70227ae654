import { createHmac, createPrivateKey, sign } from 'node:crypto'

/** The fixed beginning of an ed25519 private key in PKCS #8, before its 32 bytes of seed (RFC 8410, section 7). */
const PKCS8_ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SEED_BYTES = 32

/**
 * The `webhook-signature` of Standard Webhooks 1.0 (https://www.standardwebhooks.com): `v1` by HMAC-SHA256 with
 * a `whsec_` secret, `v1a` by ed25519 with a `whsk_` one. Each secret signs, so that one can replace another.
 */
export function signatureOf(
  secrets: readonly string[],
  { id, timestamp, body }: { id: string; timestamp: string; body: string },
): string {
  const content = Buffer.from(`${id}.${timestamp}.${body}`)
  return secrets.map((secret) => signWith(secret, content)).join(' ')
}

function signWith(secret: string, content: Buffer): string {
  const key = Buffer.from(secret.slice(secret.indexOf('_') + 1), 'base64')
  return secret.startsWith('whsk_')
    ? `v1a,${sign(null, content, ed25519Key(key)).toString('base64')}`
    : `v1,${createHmac('sha256', key).update(content).digest('base64')}`
}

/** The seed comes first, also where the public key follows it. */
function ed25519Key(key: Buffer) {
  const der = Buffer.concat([PKCS8_ED25519_PREFIX, key.subarray(0, SEED_BYTES)])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
