import { fileURLToPath } from 'node:url'
import type { DataConverter } from '@temporalio/common'
import type { Config } from '../config.js'
import { InvalidInputError } from '../domain/errors.js'
import type { KeyRing } from '../encryption/key-ring.js'
import { openKeyRing } from '../encryption/open-key-ring.js'
import { createPayloadCodec, type PayloadEncryption } from './payload-codec.js'

/** The SDK loads it with `require`; the same place seen from src/ and from dist/. */
const ENCODED_FAILURES = fileURLToPath(new URL('../../dist/temporal/encoded-failures.js', import.meta.url))

/** What every client and worker reads and writes Temporal's payloads and failures with. */
export function dataConverterOf(encryption: PayloadEncryption): DataConverter {
  return {
    payloadCodecs: [createPayloadCodec(encryption)],
    // A system that does not encrypt keeps its failures legible in the Temporal UI.
    ...(encryption.encrypt && { failureConverterPath: ENCODED_FAILURES }),
  }
}

/**
 * What `SYNC_ENCRYPT_PAYLOADS` and `SYNC_ENCRYPTION_KEYS` ask for.
 * @param isEmbedded whether Temporal is the embedded server that runs on `SYNC_DATA_DIR`
 * @throws {InvalidInputError} where it encrypts with a key that workers elsewhere would not have: what is
 * accepted then could not be delivered
 */
export function payloadEncryptionOf(
  config: Pick<Config, 'database' | 'dataDir' | 'encryptionKeys' | 'encryptPayloads'>,
  isEmbedded: boolean,
): PayloadEncryption {
  const { encryptPayloads: encrypt, encryptionKeys } = config
  if (encrypt && encryptionKeys === undefined && !isEmbedded) throw sharedKeysMissing()
  let opened: KeyRing | undefined
  const keys = (): KeyRing => (opened ??= openKeyRing(config))
  if (encrypt) keys()
  return { keys, encrypt }
}

function sharedKeysMissing(): InvalidInputError {
  return new InvalidInputError('environment', [
    {
      field: 'SYNC_ENCRYPTION_KEYS',
      accepted:
        'the keys that all processes share, as SYNC_ENCRYPT_PAYLOADS is true and Temporal is not the embedded ' +
        'server of SYNC_DATA_DIR; an embedded one keeps them in its file encryption-keys',
    },
  ])
}
