import { keyFile, type Config } from '../config.js'
import { InvalidInputError } from '../domain/errors.js'
import { openKeyFile } from './key-file.js'
import type { KeyRing } from './key-ring.js'

/**
 * The keys of `SYNC_ENCRYPTION_KEYS`, else those of a file in `SYNC_DATA_DIR`, which the first use makes.
 * @throws {InvalidInputError} where the store is not a file of this machine either: its keys are shared, and so
 * must be given
 */
export function openKeyRing(config: Pick<Config, 'database' | 'dataDir' | 'encryptionKeys'>): KeyRing {
  if (config.encryptionKeys !== undefined) return config.encryptionKeys
  if (config.database.kind === 'sqlite') return openKeyFile(keyFile(config))
  throw new InvalidInputError('environment', [
    {
      field: 'SYNC_ENCRYPTION_KEYS',
      accepted: 'a key, as DATABASE_URL is Postgres; make one with `external-sync keys generate`',
    },
  ])
}
