import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { InvalidInputError, SyncError } from '../domain/errors.js'

const KEY_BYTES = 32
const SALT_BYTES = 32
/** NIST SP 800-38D, section 5.2.1. */
const NONCE_BYTES = 12
const TAG_BYTES = 16

const ACCEPTED =
  'one or several keys, separated by commas, each as <id>:<32 bytes in base64>, with an id of 1 to 64 letters, ' +
  'digits, "." "_" and "-" (`external-sync keys generate` makes one; value not shown)'

/** A key and the name by which what it encrypted refers to it. */
export interface EncryptionKey {
  id: string
  secret: Uint8Array
}

/** What {@link KeyRing.seal} makes. */
export interface Sealed {
  /** The key that opens it. */
  keyId: string
  /** Salt, ciphertext and tag. */
  bytes: Uint8Array
}

/** What encrypted text belongs to; it opens for nothing else. */
export interface SealContext {
  /** What the key is used for; each purpose has keys of its own. */
  purpose: string
  /** What the text is bound to, such as the endpoint and the field (RFC 5116, section 2.1). */
  associatedData: string
}

/**
 * The keys of `SYNC_ENCRYPTION_KEYS`: the first encrypts, all decrypt. AES-256-GCM (NIST SP 800-38D) under a
 * key and nonce that HKDF (RFC 5869) derives from a random salt for each text, so that no number of texts
 * wears a key out. Shows no key when it is logged or made JSON.
 */
export class KeyRing {
  #keys: readonly EncryptionKey[]
  readonly #reload: (() => readonly EncryptionKey[]) | undefined

  /** @param reload reads the keys anew, where they may change while the process runs */
  constructor(keys: readonly EncryptionKey[], reload?: () => readonly EncryptionKey[]) {
    this.#keys = keys
    this.#reload = reload
  }

  /** The id of the key that encrypts. */
  get currentId(): string {
    return this.#current().id
  }

  get ids(): readonly string[] {
    return this.#keys.map(({ id }) => id)
  }

  /** Whether texts under this key can be opened; looks for it anew where it is not known. */
  has(id: string): boolean {
    return this.#find(id) !== undefined
  }

  seal(plaintext: Uint8Array, { purpose, associatedData }: SealContext): Sealed {
    const { id, secret } = this.#current()
    const salt = randomBytes(SALT_BYTES)
    const { key, nonce } = derive(secret, salt, purpose)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(associatedData))
    const bytes = Buffer.concat([salt, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    return { keyId: id, bytes }
  }

  /**
   * @throws {SyncError} `ENCRYPTION_KEY_MISSING` where the key is not among these; `DECRYPTION_FAILED` where the
   * text was changed, belongs to something else, or was made by another key of this id
   */
  unseal({ keyId, bytes }: Sealed, { purpose, associatedData }: SealContext): Uint8Array {
    const found = this.#find(keyId)
    if (found === undefined) throw keyMissing(keyId, this.ids)
    if (bytes.length < SALT_BYTES + TAG_BYTES) throw decryptionFailed(keyId)
    const end = bytes.length - TAG_BYTES
    const { key, nonce } = derive(found.secret, bytes.subarray(0, SALT_BYTES), purpose)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(associatedData))
      .setAuthTag(bytes.subarray(end))
    try {
      return Buffer.concat([decipher.update(bytes.subarray(SALT_BYTES, end)), decipher.final()])
    } catch {
      throw decryptionFailed(keyId)
    }
  }

  #current(): EncryptionKey {
    const [first] = this.#keys
    if (first === undefined) throw new TypeError('a key ring has at least one key')
    return first
  }

  #find(id: string): EncryptionKey | undefined {
    const find = (): EncryptionKey | undefined => this.#keys.find((key) => key.id === id)
    const found = find()
    if (found !== undefined || this.#reload === undefined) return found
    this.#keys = this.#reload()
    return find()
  }
}

/** A new key under a name that no other has. */
export function generateKey(): EncryptionKey {
  const day = new Date().toISOString().slice(0, 10)
  return { id: `${day}-${randomBytes(4).toString('hex')}`, secret: randomBytes(KEY_BYTES) }
}

/** The keys as {@link parseKeys} reads them. */
export function formatKeys(keys: readonly EncryptionKey[]): string {
  return keys.map(({ id, secret }) => `${id}:${Buffer.from(secret).toString('base64')}`).join(',')
}

/**
 * Reads `<id>:<base64>,…`; white space around a key is left out.
 * @param field what the text is called when it is refused, such as `SYNC_ENCRYPTION_KEYS`
 * @throws {InvalidInputError} naming the keys that are not accepted, without showing any
 */
export function parseKeys(text: string, field: string): EncryptionKey[] {
  const keys = text.split(',').map((part, index) => parseKey(part.trim(), `${field}[${index}]`))
  const ids = keys.map(({ id }) => id)
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index)
  if (repeated === undefined) return keys
  throw refused(field, `each key once; there are two with the id ${repeated}`)
}

function parseKey(text: string, field: string): EncryptionKey {
  const match = /^([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/_-]+={0,2})$/.exec(text)
  if (match === null) throw refused(field, ACCEPTED)
  const [, id = '', encoded = ''] = match
  const secret = Buffer.from(encoded, 'base64')
  if (secret.length === KEY_BYTES) return { id, secret }
  throw refused(field, `${KEY_BYTES} bytes in base64; the key ${id} has ${secret.length} (value not shown)`)
}

function refused(field: string, accepted: string): InvalidInputError {
  return new InvalidInputError('encryption keys', [{ field, accepted }])
}

function derive(secret: Uint8Array, salt: Uint8Array, purpose: string) {
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, purpose, KEY_BYTES + NONCE_BYTES))
  return { key: bytes.subarray(0, KEY_BYTES), nonce: bytes.subarray(KEY_BYTES) }
}

function keyMissing(id: string, known: readonly string[]): SyncError {
  return new SyncError(
    'ENCRYPTION_KEY_MISSING',
    `what is encrypted under the key ${JSON.stringify(id)} cannot be read: this process has the keys ` +
      `${known.map((name) => JSON.stringify(name)).join(', ')}; add it to SYNC_ENCRYPTION_KEYS`,
  )
}

function decryptionFailed(id: string): SyncError {
  return new SyncError(
    'DECRYPTION_FAILED',
    `a text that is encrypted under the key ${JSON.stringify(id)} cannot be opened: it was changed or moved, or ` +
      'another key had this id',
  )
}
