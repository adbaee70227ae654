import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { EndpointSettings } from '../domain/endpoint.js'
import type { ChangeOptions } from '../store/endpoint-store.js'
import { startRelease } from '../temporal/start-release.js'
import { endpointNotFound, type RegistryParts } from './endpoint-registry.js'

/** Bytes of a new HMAC secret, of the 24 to 64 that Standard Webhooks asks for. */
const SECRET_BYTES = 32
const ED25519_KEY_BYTES = 32

/** What the receiver needs to verify signatures by the new secret; it is shown nowhere else. */
export type RotatedSecret = { signingSecret: string } | { publicKey: string }

/**
 * Gives an endpoint a new signing secret of the same kind, and lets the one before sign beside it until the next
 * rotation, or until `signingSecrets` is set.
 * @throws {SyncError} `ENDPOINT_NOT_FOUND`
 */
export async function rotateSigningSecret(
  parts: RegistryParts,
  name: string,
  options: ChangeOptions,
): Promise<RotatedSecret> {
  let rotated: RotatedSecret | undefined
  const rotate = (current: EndpointSettings): EndpointSettings => {
    const before = current.signingSecrets?.slice(0, 1) ?? []
    const { secret, shown } = newSecret(before[0]?.startsWith('whsk_') === true)
    rotated = shown
    return { ...current, signingSecrets: [secret, ...before] }
  }
  const result = await parts.store.update(name, rotate, options)
  if (result === undefined || rotated === undefined) return endpointNotFound(name)
  await startRelease(parts, name)
  return rotated
}

function newSecret(isAsymmetric: boolean): { secret: string; shown: RotatedSecret } {
  if (!isAsymmetric) {
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
    return { secret, shown: { signingSecret: secret } }
  }
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    secret: `whsk_${rawKeyOf(privateKey.export({ format: 'der', type: 'pkcs8' }))}`,
    shown: { publicKey: `whpk_${rawKeyOf(publicKey.export({ format: 'der', type: 'spki' }))}` },
  }
}

/** Both encodings end with the key itself (RFC 8410, sections 4 and 7). */
function rawKeyOf(der: Buffer): string {
  return der.subarray(-ED25519_KEY_BYTES).toString('base64')
}
