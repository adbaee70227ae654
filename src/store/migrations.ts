import { sql, type Kysely, type Migration } from 'kysely'
import type { KeyRing } from '../encryption/key-ring.js'
import { toColumns } from './sealed-settings.js'
import type { StoreDatabase, Tables } from './store-database.js'

/** The schema's history; an entry is never changed once released. */
export function migrationsFor(kind: StoreDatabase['kind'], keys: KeyRing): Record<string, Migration> {
  return {
    '0001-endpoints': { up: createEndpoints },
    '0002-encryption-and-history': {
      up: async (db: Kysely<Tables>) => {
        await createKeysAndChanges(db)
        await (kind === 'sqlite' ? refuseChangesInSqlite(db) : refuseChangesInPostgres(db))
        await encryptCredentials(db, keys)
      },
    },
    '0003-outages': { up: createOutages },
    '0004-attempts': { up: createAttempts },
  }
}

async function createEndpoints(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('endpoints')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('settings', 'text', (column) => column.notNull())
    .addColumn('credentials', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .execute()
}

async function createKeysAndChanges(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('encryption_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('check_text', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('endpoint_changes')
    .addColumn('revision', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('fields', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('endpoint_changes_by_name')
    .on('endpoint_changes')
    .columns(['name', 'revision'])
    .execute()
}

async function createOutages(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('outages')
    .addColumn('endpoint', 'text', (column) => column.primaryKey())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('since', 'text', (column) => column.notNull())
    .addColumn('error', 'text')
    .addColumn('recovered_at', 'text')
    .addColumn('is_told', 'integer', (column) => column.notNull())
    .execute()
}

async function refuseChangesInSqlite(db: Kysely<Tables>): Promise<void> {
  for (const action of ['update', 'delete'] as const) {
    await sql`create trigger ${sql.id(`endpoint_changes_no_${action}`)}
      before ${sql.raw(action)} on endpoint_changes
      begin select raise(abort, 'endpoint_changes is only ever appended to'); end`.execute(db)
  }
}

async function refuseChangesInPostgres(db: Kysely<Tables>): Promise<void> {
  await sql`create function refuse_change_of_history() returns trigger language plpgsql as
    $$ begin raise exception 'endpoint_changes is only ever appended to'; end $$`.execute(db)
  await sql`create trigger endpoint_changes_append_only
    before update or delete or truncate on endpoint_changes
    for each statement execute function refuse_change_of_history()`.execute(db)
}

/** Sums and times need more than the 32 bits of an integer of Postgres. */
async function createAttempts(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('attempt_minutes')
    .addColumn('minute', 'integer', (column) => column.notNull())
    .addColumn('endpoint', 'text', (column) => column.notNull())
    .addColumn('delivered', 'integer', (column) => column.notNull())
    .addColumn('failed', 'integer', (column) => column.notNull())
    .addColumn('latency_ms_sum', 'double precision', (column) => column.notNull())
    .addColumn('latency_ms_max', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('attempt_minutes_key', ['minute', 'endpoint'])
    .execute()
  await db.schema
    .createTable('endpoint_attempts')
    .addColumn('endpoint', 'text', (column) => column.primaryKey())
    .addColumn('delivered_at', 'double precision')
    .addColumn('failed_at', 'double precision')
    .addColumn('failing_since', 'double precision')
    .addColumn('failure', 'text')
    .execute()
}

/** Version 0001 kept credentials as they are. */
async function encryptCredentials(db: Kysely<Tables>, keys: KeyRing): Promise<void> {
  for (const { name, settings, credentials } of await db.selectFrom('endpoints').selectAll().execute()) {
    const plain = { ...JSON.parse(settings), ...JSON.parse(credentials) }
    await db
      .updateTable('endpoints')
      .set(toColumns(name, plain, keys))
      .where('name', '=', name)
      .execute()
  }
}
