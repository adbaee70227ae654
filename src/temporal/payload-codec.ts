import type { Payload, PayloadCodec } from '@temporalio/common'
import proto from '@temporalio/proto'
import type { KeyRing, SealContext } from '../encryption/key-ring.js'

const ENCODING = 'encoding'
/** What Temporal's own samples call an encrypted payload, and its tools show as one. */
const ENCRYPTED = 'binary/encrypted'
const KEY_ID = 'encryption-key-id'

/** Not bound to a workflow: the codec endpoint is told payloads alone, and not whose they are. */
const CONTEXT: SealContext = { purpose: 'external-sync/payload', associatedData: ENCRYPTED }

const { Payload: PayloadMessage } = proto.temporal.api.common.v1

/** How payloads are encrypted. */
export interface PayloadEncryption {
  /** Opened when a payload needs them; a system that encrypts nothing needs none. */
  keys: () => KeyRing
  /** Whether new payloads are encrypted. What is encrypted is decrypted either way. */
  encrypt: boolean
}

/**
 * Encrypts each payload as a whole, its metadata included, and decrypts those that are encrypted. All others
 * pass as they are, so that encryption can be turned on and off while workflows are open.
 *
 * `decode` rejects with `ENCRYPTION_KEY_MISSING` or `DECRYPTION_FAILED` (a {@link SyncError}). A worker then
 * fails the workflow task or the attempt, which Temporal repeats until a worker has the key.
 */
export function createPayloadCodec({ keys, encrypt }: PayloadEncryption): PayloadCodec {
  return {
    encode: async (payloads) => (encrypt ? payloads.map((payload) => encoded(keys(), payload)) : payloads),
    decode: async (payloads) =>
      payloads.map((payload) => (isEncrypted(payload) ? decoded(keys(), payload) : payload)),
  }
}

function encoded(keys: KeyRing, payload: Payload): Payload {
  if (isEncrypted(payload)) return payload
  const { keyId, bytes } = keys.seal(PayloadMessage.encode(payload).finish(), CONTEXT)
  return { metadata: { [ENCODING]: Buffer.from(ENCRYPTED), [KEY_ID]: Buffer.from(keyId) }, data: bytes }
}

function decoded(keys: KeyRing, payload: Payload): Payload {
  const sealed = { keyId: metadataOf(payload, KEY_ID), bytes: payload.data ?? new Uint8Array() }
  return PayloadMessage.decode(keys.unseal(sealed, CONTEXT))
}

function isEncrypted(payload: Payload): boolean {
  return metadataOf(payload, ENCODING) === ENCRYPTED
}

function metadataOf({ metadata }: Payload, name: string): string {
  return Buffer.from(metadata?.[name] ?? []).toString()
}
