import { Kysely, PostgresDialect, sql } from 'kysely'
import { DatabaseError, Pool } from 'pg'
import type { StoreDatabase, Tables } from './store-database.js'

/** How long a connection may take, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000
/** How long an answer may take, in milliseconds; a change waits for the others' that are under way. */
const QUERY_TIMEOUT_MS = 30_000
/** Asking costs a round trip, which is not made for each event. */
const MAX_STALENESS_MS = 1_000
/** The advisory lock of those who write: "sync" in ASCII. */
const WRITE_LOCK = 0x73796e63
/** PostgreSQL documentation, appendix A. */
const UNDEFINED_TABLE = '42P01'

/** A pool of connections to a Postgres database; they are made when they are needed. */
export function openPostgres(url: string, location: string): StoreDatabase {
  const pool = new Pool({
    connectionString: url,
    application_name: 'external-sync',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  })
  // A connection that breaks is replaced; who uses it at that moment is told by the query.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  return {
    kind: 'postgres',
    location,
    db,
    maxStalenessMs: MAX_STALENESS_MS,
    write: (change) =>
      db.transaction().execute(async (transaction) => {
        // Released with the transaction, however that ends.
        await sql`select pg_advisory_xact_lock(${sql.lit(WRITE_LOCK)})`.execute(transaction)
        return change(transaction)
      }),
    isMissingTable: (error) => error instanceof DatabaseError && error.code === UNDEFINED_TABLE,
  }
}
