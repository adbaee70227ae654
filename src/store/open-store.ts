import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  CompiledQuery,
  Kysely,
  Migrator,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  sql,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  type SqliteDatabase,
  type SqliteDialectConfig,
} from 'kysely'
import Libsql from 'libsql'
import { SyncError } from '../domain/errors.js'
import type { EndpointStore } from './endpoint-store.js'
import { migrations } from './migrations.js'
import { SqlEndpointStore, type Database } from './sql-endpoint-store.js'

/** How long a process waits for another one's write, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000

/**
 * Openings go one after the other: SQLite waits for a lock with the whole process, so that a transaction of
 * another connection in it would never end.
 */
let lastOpening: Promise<unknown> = Promise.resolve()

/**
 * Opens the SQLite file, makes it where there is none, and brings its schema up to date.
 * @throws {SyncError} `STORE_UNAVAILABLE` naming the file, where it cannot be opened or migrated
 */
export function openStore(file: string): Promise<EndpointStore> {
  const opened = lastOpening.then(() => open(file))
  lastOpening = opened.catch(() => undefined)
  return opened
}

async function open(file: string): Promise<EndpointStore> {
  try {
    const db = new Kysely<Database>({ dialect: new ImmediateSqliteDialect({ database: openFile(file) }) })
    try {
      await migrate(db)
    } catch (error) {
      await db.destroy()
      throw error
    }
    return new SqlEndpointStore(db)
  } catch (cause) {
    throw new SyncError(
      'STORE_UNAVAILABLE',
      `the endpoint store ${file} could not be opened: ${cause instanceof Error ? cause.message : String(cause)}; ` +
        'expected a path in a directory that this process may write to (SYNC_DATA_DIR or DATABASE_URL)',
      { cause },
    )
  }
}

function openFile(file: string): SqliteDatabase {
  if (file !== ':memory:') {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    // It holds secrets: made here, so that SQLite does not make it readable for all.
    closeSync(openSync(file, 'a', 0o600))
  }
  const database = new Libsql(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

async function migrate(db: Kysely<Database>): Promise<void> {
  if (await isUpToDate(db)) return
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined)
    throw error instanceof Error ? error : new Error('the migration failed', { cause: error })
}

/** Without a lock, as most openings have nothing to migrate. */
async function isUpToDate(db: Kysely<Database>): Promise<boolean> {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
    return isDeepStrictEqual(
      rows.map(({ name }) => name),
      Object.keys(migrations).toSorted(),
    )
  } catch {
    return false
  }
}

/**
 * Transactions take the write lock when they begin. One that takes it later fails at once, whatever the
 * timeout, when another process wrote in between (https://www.sqlite.org/lang_transaction.html).
 */
class ImmediateSqliteDialect extends SqliteDialect {
  constructor(private readonly config: SqliteDialectConfig) {
    super(config)
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalDdlAdapter()
  }

  override createDriver(): Driver {
    return new ImmediateSqliteDriver(this.config)
  }
}

/** Lets the migrator read and write in one transaction, so that processes that start at once take turns. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class ImmediateSqliteDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}
