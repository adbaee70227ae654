import type { Kysely, Transaction } from 'kysely'
import { SyncError } from '../domain/errors.js'
import type { KeyRing, SealContext } from '../encryption/key-ring.js'
import { sealText, unsealText } from './sealed-settings.js'
import type { Tables } from './store-database.js'

const CHECK_TEXT = 'external-sync'

/** Notes that the current key encrypts something in the store, so that it is missed where it is not there. */
export async function recordKey(db: Kysely<Tables> | Transaction<Tables>, keys: KeyRing): Promise<void> {
  const id = keys.currentId
  await db
    .insertInto('encryption_keys')
    .values({ id, check_text: sealText(CHECK_TEXT, contextOf(id), keys) })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

/**
 * Sees whether the keys are those that the store is encrypted under.
 * @throws {SyncError} `ENCRYPTION_KEY_MISSING` or `ENCRYPTION_KEY_WRONG`, naming the keys
 */
export async function checkKeys(db: Kysely<Tables>, keys: KeyRing, location: string): Promise<void> {
  const records = await db.selectFrom('encryption_keys').selectAll().orderBy('id').execute()
  const missing = records.map(({ id }) => id).filter((id) => !keys.has(id))
  if (missing.length > 0) {
    throw new SyncError(
      'ENCRYPTION_KEY_MISSING',
      `the endpoint store ${location} has credentials under the ${named(missing)}, and this process has the ` +
        `${named(keys.ids)}; add what is missing to SYNC_ENCRYPTION_KEYS, or, while another process has it, ` +
        'run `external-sync keys rotate` there',
    )
  }
  const wrong = records.filter(({ id, check_text: text }) => !opens(id, text, keys)).map(({ id }) => id)
  if (wrong.length > 0) {
    throw new SyncError(
      'ENCRYPTION_KEY_WRONG',
      `the endpoint store ${location} was encrypted under another ${named(wrong)} than SYNC_ENCRYPTION_KEYS holds; ` +
        'put the one back that was there, and give a new key a name of its own',
    )
  }
}

function opens(id: string, text: string, keys: KeyRing): boolean {
  try {
    return unsealText(text, contextOf(id), keys) === CHECK_TEXT
  } catch {
    return false
  }
}

function contextOf(id: string): SealContext {
  return { purpose: 'external-sync/key-check', associatedData: id }
}

function named(ids: readonly string[]): string {
  return `${ids.length === 1 ? 'key' : 'keys'} ${ids.map((id) => JSON.stringify(id)).join(', ')}`
}
