import { Migrator, sql } from 'kysely'
import { SyncError } from '../domain/errors.js'
import type { KeyRing } from '../encryption/key-ring.js'
import { migrationsFor } from './migrations.js'
import { inTurn } from './sqlite-database.js'
import type { StoreDatabase } from './store-database.js'

/**
 * Brings the tables up to date; others that do so at the same time wait for it.
 * @returns the names of the migrations that were run here
 * @throws {SyncError} `STORE_SCHEMA_MISMATCH` where the schema is newer than this code
 */
export async function migrate(database: StoreDatabase, keys: KeyRing): Promise<string[]> {
  // Without a lock, as most openings have nothing to migrate.
  if ((await missingMigrations(database, keys)).length === 0) return []
  const migrations = migrationsFor(database.kind, keys)
  const migrator = new Migrator({
    db: database.db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  })
  const run = () => migrator.migrateToLatest()
  const { error, results = [] } = await (database.kind === 'sqlite' ? inTurn(run) : run())
  if (error !== undefined)
    throw error instanceof Error ? error : new Error('the migration failed', { cause: error })
  return results.map(({ migrationName }) => migrationName)
}

/** @throws {SyncError} `STORE_SCHEMA_MISMATCH` where the tables are not those that this code knows */
export async function checkSchema(database: StoreDatabase, keys: KeyRing): Promise<void> {
  const missing = await missingMigrations(database, keys)
  if (missing.length === 0) return
  throw new SyncError(
    'STORE_SCHEMA_MISMATCH',
    `the endpoint store ${database.location} lacks ${missing.join(', ')} of this version's schema; ` +
      'run `external-sync migrate` once, with the same DATABASE_URL',
  )
}

async function missingMigrations(database: StoreDatabase, keys: KeyRing): Promise<string[]> {
  const known = Object.keys(migrationsFor(database.kind, keys))
  const run = await migrationsRun(database)
  const unknown = run.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new SyncError(
      'STORE_SCHEMA_MISMATCH',
      `the endpoint store ${database.location} has ${unknown.join(', ')} of a newer version's schema, which this ` +
        'version does not know; run the newer version of external-sync here too',
    )
  }
  return known.filter((name) => !run.includes(name))
}

async function migrationsRun({ db, isMissingTable }: StoreDatabase): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
    return rows.map(({ name }) => name)
  } catch (error) {
    if (isMissingTable(error)) return []
    throw error
  }
}
