import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import {
  CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type DialectAdapter,
  type Driver,
  type SqliteDatabase,
  type SqliteDialectConfig,
} from 'kysely'
import Libsql from 'libsql'
import type { StoreDatabase, Tables } from './store-database.js'

/** How long a process waits for another one's write, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000

const BUSY_RETRY_MS = 20

const IN_MEMORY = ':memory:'

let memoryDatabases = 0

/** Opens the SQLite file, and makes it where there is none. */
export async function openSqlite(file: string): Promise<StoreDatabase> {
  const db = new Kysely<Tables>({ dialect: new ImmediateSqliteDialect({ database: await openFile(file) }) })
  return {
    kind: 'sqlite',
    // Each database in memory is one of its own.
    location: file === IN_MEMORY ? `${file}${(memoryDatabases += 1)}` : file,
    db,
    maxStalenessMs: 0,
    write: (change) => inTurn(() => db.transaction().execute(change)),
    isMissingTable: (error) => error instanceof Error && error.message.includes('no such table'),
  }
}

let lastTurn: Promise<unknown> = Promise.resolve()

/**
 * Transactions of one process go one after the other: SQLite waits for a lock with the whole process, so that
 * a transaction of another connection in it would never end.
 */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work)
  // Nothing of it waits for the system, so that a loop of writes would leave the process no time for anything else.
  lastTurn = turn.catch(() => undefined).then(() => setImmediate())
  return turn
}

async function openFile(file: string): Promise<SqliteDatabase> {
  if (file !== IN_MEMORY) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    makeFile(file)
  }
  const database = new Libsql(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    await useWal(database)
    database.pragma('synchronous = FULL')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Of processes that do so at the same moment, SQLite refuses some at once, whatever the timeout, as each has a lock that
 * the others wait for (https://www.sqlite.org/c3ref/busy_handler.html).
 */
async function useWal(database: Libsql.Database): Promise<void> {
  const deadline = Date.now() + BUSY_TIMEOUT_MS
  for (;;) {
    try {
      database.pragma('journal_mode = WAL')
      return
    } catch (error) {
      const isBusy = error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY'
      if (!isBusy || Date.now() > deadline) throw error
      await sleep(BUSY_RETRY_MS)
    }
  }
}

/**
 * Makes the file, so that SQLite does not make it readable for all. One that is there is not opened: closing it
 * would drop the locks of this process's other connections (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
function makeFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
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
