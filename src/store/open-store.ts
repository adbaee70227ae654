import { hostname, userInfo } from 'node:os'
import { describeDatabase, type Config, type DatabaseLocation } from '../config.js'
import { SyncError } from '../domain/errors.js'
import type { KeyRing } from '../encryption/key-ring.js'
import { openKeyRing } from '../encryption/open-key-ring.js'
import type { EndpointStore } from './endpoint-store.js'
import { checkKeys } from './key-records.js'
import { checkSchema, migrate } from './schema.js'
import { SqlEndpointStore } from './sql-endpoint-store.js'
import type { StoreDatabase } from './store-database.js'
import { storeUnavailable } from './store-unavailable.js'

/** How an endpoint store is opened. */
export interface OpenStoreOptions {
  database: DatabaseLocation
  /** They encrypt its secrets. */
  keys: KeyRing
  /** Recorded with each change. @default the user and the host of this process, such as `alice@ops-1` */
  actor?: string | undefined
}

const HELP = {
  sqlite: 'expected a path in a directory that this process may write to (SYNC_DATA_DIR or DATABASE_URL)',
  postgres: 'expected a database that answers at DATABASE_URL, to a user who may read and write it',
}

/**
 * Opens the endpoint store. An SQLite file is made where there is none, and its tables are brought up to date;
 * those of Postgres are left to {@link migrateStore}.
 * @throws {SyncError} `STORE_UNAVAILABLE` where it cannot be opened; `STORE_SCHEMA_MISMATCH`;
 * `ENCRYPTION_KEY_MISSING` or `ENCRYPTION_KEY_WRONG` where its secrets need other keys
 */
export async function openStore({
  actor = thisActor(),
  ...options
}: OpenStoreOptions): Promise<EndpointStore> {
  const database = await openDatabase(options, async (opened) => {
    if (opened.kind === 'sqlite') await migrate(opened, options.keys)
    else await checkSchema(opened, options.keys)
    await checkKeys(opened.db, options.keys, opened.location)
  })
  return new SqlEndpointStore({ database, keys: options.keys, actor })
}

/**
 * Opens the store that the environment says, with its keys.
 * @throws {SyncError} as {@link openStore} does, and where the keys are not there
 */
export async function openStoreOf(config: Config, actor?: string): Promise<EndpointStore> {
  return openStore({ database: config.database, keys: openKeyRing(config), actor })
}

/**
 * Brings the tables up to date. Safe to run again, and from several processes at once.
 * @returns the migrations that were run here
 * @throws {SyncError} `STORE_UNAVAILABLE`, or `STORE_SCHEMA_MISMATCH` where the schema is newer than this code
 */
export async function migrateStore(options: Omit<OpenStoreOptions, 'actor'>): Promise<string[]> {
  let done: string[] = []
  const database = await openDatabase(options, async (opened) => {
    done = await migrate(opened, options.keys)
  })
  await database.db.destroy()
  return done
}

async function openDatabase(
  { database: location }: OpenStoreOptions,
  prepare: (database: StoreDatabase) => Promise<void>,
): Promise<StoreDatabase> {
  try {
    const database = await openLocation(location)
    try {
      await prepare(database)
      return database
    } catch (error) {
      await database.db.destroy()
      throw error
    }
  } catch (error) {
    if (error instanceof SyncError) throw error
    throw storeUnavailable(describeDatabase(location), error, {
      problem: 'could not be opened',
      help: HELP[location.kind],
    })
  }
}

/** Loads the driver that it needs. */
async function openLocation(location: DatabaseLocation): Promise<StoreDatabase> {
  if (location.kind === 'sqlite') {
    const { openSqlite } = await import('./sqlite-database.js')
    return openSqlite(location.file)
  }
  const { openPostgres } = await import('./postgres-database.js')
  return openPostgres(location.url, describeDatabase(location))
}

/** A user without an entry in the system's list, as in some containers, goes by number. */
function thisActor(): string {
  let user: string
  try {
    user = userInfo().username
  } catch {
    user = `uid ${process.getuid?.()}`
  }
  return `${user}@${hostname()}`
}
