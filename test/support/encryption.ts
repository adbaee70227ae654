import { generateKey, KeyRing, type EncryptionKey } from '../../src/encryption/key-ring.js'

/** Keys of a test, the first one encrypts. */
export function keyRing(...keys: readonly EncryptionKey[]): KeyRing {
  return new KeyRing(keys.length === 0 ? [generateKey()] : keys)
}
