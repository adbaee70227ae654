import type { KeyRing } from '../encryption/key-ring.js'
import type { ReencryptionReport } from './endpoint-store.js'
import { recordKey } from './key-records.js'
import { keyIdsIn, readColumns, toColumns } from './sealed-settings.js'
import type { StoreDatabase } from './store-database.js'

/**
 * Encrypts every row under the current key, one at a time, so that nobody waits long. Versions stay: the
 * endpoint is the same.
 */
export async function reencryptAll(
  { db, write }: StoreDatabase,
  keys: KeyRing,
  onProgress?: (done: number, total: number) => void,
): Promise<ReencryptionReport> {
  const keyId = keys.currentId
  const names = await db.selectFrom('endpoints').select('name').orderBy('name').execute()
  const unreadable: ReencryptionReport['unreadable'] = []
  let reencrypted = 0
  for (const [index, { name }] of names.entries()) {
    const result = await write(async (transaction) => {
      const row = await transaction
        .selectFrom('endpoints')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst()
      if (row === undefined) return 'unchanged'
      const { settings, problem = '', isUnreadable } = readColumns(row, keys)
      if (isUnreadable) return { endpoint: name, problem }
      if (keyIdsIn(row).every((id) => id === keyId)) return 'unchanged'
      await recordKey(transaction, keys)
      await transaction
        .updateTable('endpoints')
        .set(toColumns(name, settings, keys))
        .where('name', '=', name)
        .execute()
      return 'reencrypted'
    })
    if (typeof result === 'object') unreadable.push(result)
    else if (result === 'reencrypted') reencrypted += 1
    onProgress?.(index + 1, names.length)
  }
  return { keyId, endpoints: names.length, reencrypted, unreadable, retiredKeys: await retireKeys() }

  /** Forgets the keys under which nothing is any more, so that no process needs them at its start. */
  function retireKeys(): Promise<string[]> {
    return write(async (transaction) => {
      const rows = await transaction.selectFrom('endpoints').select('credentials').execute()
      const used = new Set([keyId, ...rows.flatMap(keyIdsIn)])
      const records = await transaction.selectFrom('encryption_keys').select('id').execute()
      const retired = records.map(({ id }) => id).filter((id) => !used.has(id))
      if (retired.length > 0)
        await transaction.deleteFrom('encryption_keys').where('id', 'in', retired).execute()
      return retired
    })
  }
}
