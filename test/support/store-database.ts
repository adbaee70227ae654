import { inject } from 'vitest'
import { formatKeys, generateKey, KeyRing } from '../../src/encryption/key-ring.js'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import { migrateStore, openStore } from '../../src/store/open-store.js'
import { createDatabase } from './postgres-database.js'

/** A Postgres database with the tables of an endpoint store. */
interface StoreDatabase {
  open(): Promise<EndpointStore>
  /** `DATABASE_URL` and the keys, for processes that use it. */
  readonly env: NodeJS.ProcessEnv
}

/** A new database for the endpoints of one system, where the run wants Postgres: `npm run test:cluster`. */
export async function createStoreDatabase(): Promise<StoreDatabase | undefined> {
  if (!inject('postgresStores')) return undefined
  const url = await createDatabase(inject('postgresUrl'))
  const key = generateKey()
  const options = { database: { kind: 'postgres', url } as const, keys: new KeyRing([key]) }
  await migrateStore(options)
  return {
    open: () => openStore(options),
    env: { DATABASE_URL: url, SYNC_ENCRYPTION_KEYS: formatKeys([key]) },
  }
}
