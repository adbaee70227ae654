import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { EndpointSettings, EndpointState } from '../domain/endpoint.js'
import { SyncError } from '../domain/errors.js'
import type { KeyRing } from '../encryption/key-ring.js'
import { createAttemptRecords, type AttemptRecords } from './attempt-records.js'
import { changedFields } from './changed-fields.js'
import type {
  ChangeOptions,
  EndpointChange,
  EndpointStore,
  HistoryOptions,
  ReencryptionReport,
  Registration,
  RegistryChanges,
  StoredEndpoint,
} from './endpoint-store.js'
import { recordKey } from './key-records.js'
import type { Outages } from './outages.js'
import { reencryptAll } from './reencryption.js'
import { readColumns, toColumns } from './sealed-settings.js'
import { SqlOutages } from './sql-outages.js'
import type { EndpointRow, StoreDatabase, Tables } from './store-database.js'
import { answering } from './store-unavailable.js'
import { announceWrite, onWriteTo } from './written.js'

const DEFAULT_HISTORY_LIMIT = 100

/** Rows that are read without a pause. */
const SLICE_ROWS = 25

/** What a change makes of a row; undefined where it changes nothing. */
interface Decision {
  action: EndpointChange['action']
  fields: string[]
  /** What is written; undefined removes the row. */
  columns: Partial<EndpointRow> | undefined
}

interface StoreOptions {
  database: StoreDatabase
  keys: KeyRing
  /** Who makes the changes, unless a call says otherwise. */
  actor: string
  now?: () => Date
}

/** An endpoint store in any database that Kysely speaks. */
export class SqlEndpointStore implements EndpointStore {
  readonly outages: Outages
  readonly attempts: AttemptRecords
  readonly #database: StoreDatabase
  readonly #keys: KeyRing
  readonly #actor: string
  readonly #now: () => Date
  #writtenRevision: number | undefined

  constructor({ database, keys, actor, now = () => new Date() }: StoreOptions) {
    this.attempts = createAttemptRecords(database)
    this.#database = database
    this.outages = new SqlOutages(database)
    this.#keys = keys
    this.#actor = actor
    this.#now = now
  }

  get location(): string {
    return this.#database.location
  }

  get maxStalenessMs(): number {
    return this.#database.maxStalenessMs
  }

  get writtenRevision(): number | undefined {
    return this.#writtenRevision
  }

  async put(name: string, settings: EndpointSettings, options?: ChangeOptions): Promise<Registration> {
    const action = await this.#change(name, options, (row) => {
      const columns = (): Partial<EndpointRow> => toColumns(name, settings, this.#keys)
      if (row === undefined) return { action: 'created', fields: Object.keys(settings), columns: columns() }
      const before = this.#read(row)
      const fields = changedFields(before.settings, settings)
      if (before.problem === undefined && fields.length === 0) return undefined
      return { action: 'updated', fields, columns: columns() }
    })
    return action === 'created' || action === 'updated' ? action : 'unchanged'
  }

  async update(
    name: string,
    change: (current: EndpointSettings) => EndpointSettings,
    options?: ChangeOptions,
  ): Promise<'updated' | 'unchanged' | undefined> {
    return this.#changeExisting(name, options, (row) => {
      const { settings: before, problem, isUnreadable } = this.#read(row)
      if (isUnreadable) throw new SyncError('ENDPOINT_UNUSABLE', `endpoint ${name}: ${problem}`)
      const after = change(before)
      if (problem === undefined && isDeepStrictEqual(before, after)) return undefined
      return {
        action: 'updated',
        fields: changedFields(before, after),
        columns: toColumns(name, after, this.#keys),
      }
    })
  }

  async setState(
    name: string,
    state: EndpointState,
    options?: ChangeOptions,
  ): Promise<'updated' | 'unchanged' | undefined> {
    const action = state === 'paused' ? 'paused' : 'resumed'
    return this.#changeExisting(name, options, (row) =>
      row.state === state ? undefined : { action, fields: ['state'], columns: { state } },
    )
  }

  async remove(name: string, options?: ChangeOptions): Promise<boolean> {
    const action = await this.#change(
      name,
      options,
      (row) => row && { action: 'removed', fields: [], columns: undefined },
    )
    return action !== undefined
  }

  get(name: string): Promise<StoredEndpoint | undefined> {
    return this.#answering(async () => {
      const row = await this.#database.db
        .selectFrom('endpoints')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst()
      return row && this.#toEndpoint(row)
    })
  }

  list(): Promise<StoredEndpoint[]> {
    return this.#answering(async () => {
      const rows = await this.#database.db.selectFrom('endpoints').selectAll().execute()
      // Databases sort by rules of their own, in which case may not count.
      return inSlices(
        rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        (row) => this.#toEndpoint(row),
      )
    })
  }

  history(
    name: string,
    { before, limit = DEFAULT_HISTORY_LIMIT }: HistoryOptions = {},
  ): Promise<EndpointChange[]> {
    return this.#answering(async () => {
      const rows = await this.#database.db
        .selectFrom('endpoint_changes')
        .selectAll()
        .where('name', '=', name)
        .$if(before !== undefined, (query) => query.where('revision', '<', before ?? 0))
        .orderBy('revision', 'desc')
        .limit(limit)
        .execute()
      return rows.map(({ name: endpoint, fields, ...change }) => ({
        ...change,
        endpoint,
        fields: JSON.parse(fields) as string[],
      }))
    })
  }

  changesSince(revision: number | undefined): Promise<RegistryChanges> {
    return this.#answering(async () => {
      const latest = await lastRevision(this.#database.db)
      if (revision === latest) return { revision, isComplete: false, endpoints: new Map() }
      // A lower one than before is that of a database that was put back.
      if (revision === undefined || revision > latest) {
        const endpoints = new Map((await this.list()).map((endpoint) => [endpoint.name, endpoint]))
        return { revision: latest, isComplete: true, endpoints }
      }
      const changed = await this.#database.db
        .selectFrom('endpoint_changes')
        .leftJoin('endpoints', 'endpoints.name', 'endpoint_changes.name')
        .select('endpoint_changes.name as changed')
        .selectAll('endpoints')
        .where('endpoint_changes.revision', '>', revision)
        .execute()
      const endpoints = await inSlices(
        changed,
        ({ changed: name, ...row }) =>
          [name, row.name === null ? undefined : this.#toEndpoint(row as EndpointRow)] as const,
      )
      return { revision: latest, isComplete: false, endpoints: new Map(endpoints) }
    })
  }

  onWrite(listener: () => void): () => void {
    return onWriteTo(this.location, listener)
  }

  reencrypt(onProgress?: (done: number, total: number) => void): Promise<ReencryptionReport> {
    return this.#answering(() => reencryptAll(this.#database, this.#keys, onProgress))
  }

  async close(): Promise<void> {
    await this.#database.db.destroy()
  }

  async #changeExisting(
    name: string,
    options: ChangeOptions | undefined,
    decide: (row: EndpointRow) => Decision | undefined,
  ): Promise<'updated' | 'unchanged' | undefined> {
    let exists = true
    const action = await this.#change(name, options, (row) => {
      exists = row !== undefined
      return row && decide(row)
    })
    if (!exists) return undefined
    return action === undefined ? 'unchanged' : 'updated'
  }

  /** Writes what `decide` makes of a row, and records it, in one transaction. */
  async #change(
    name: string,
    { actor = this.#actor }: ChangeOptions = {},
    decide: (row: EndpointRow | undefined) => Decision | undefined,
  ): Promise<EndpointChange['action'] | undefined> {
    const made = await this.#answering((asIs) =>
      this.#database.write(async (transaction) => {
        const row = await transaction
          .selectFrom('endpoints')
          .selectAll()
          .where('name', '=', name)
          .executeTakeFirst()
        const decision = asIs(() => decide(row))
        if (decision === undefined) return undefined
        const { action, fields, columns } = decision
        const at = this.#now().toISOString()
        await writeRow(transaction, name, columns && { ...columns, version: uuidv7(), updated_at: at }, row)
        await recordKey(transaction, this.#keys)
        const revision = (await lastRevision(transaction)) + 1
        await transaction
          .insertInto('endpoint_changes')
          .values({ revision, name, at, actor, action, fields: JSON.stringify(fields) })
          .execute()
        return { action, revision }
      }),
    )
    if (made === undefined) return undefined
    this.#writtenRevision = made.revision
    announceWrite(this.location)
    return made.action
  }

  #answering<T>(work: (asIs: <R>(call: () => R) => R) => Promise<T>): Promise<T> {
    return answering(this.location, work)
  }

  /** @throws {SyncError} `ENCRYPTION_KEY_MISSING`: what cannot be compared is not overwritten */
  #read(row: EndpointRow) {
    const stored = readColumns(row, this.#keys)
    if (stored.missingKey === undefined) return stored
    throw new SyncError('ENCRYPTION_KEY_MISSING', `endpoint ${row.name}: ${stored.problem}`)
  }

  #toEndpoint(row: EndpointRow): StoredEndpoint {
    const { name, state, version, created_at: createdAt, updated_at: updatedAt } = row
    const identity = { name, state, version, createdAt, updatedAt }
    const { settings, problem, missingKey } = readColumns(row, this.#keys)
    if (problem === undefined) return { ...settings, ...identity }
    const { events } = settings
    const isFilterReadable = Array.isArray(events) && events.every((filter) => typeof filter === 'string')
    return {
      ...identity,
      ...(isFilterReadable && { events }),
      problem,
      ...(missingKey !== undefined && { missingKey }),
    }
  }
}

/** Lets the process do other things now and then: to decrypt and check thousands of rows takes a second. */
async function inSlices<Row, Result>(rows: readonly Row[], read: (row: Row) => Result): Promise<Result[]> {
  const results: Result[] = []
  for (const row of rows) {
    results.push(read(row))
    if (results.length % SLICE_ROWS === 0) await setImmediate()
  }
  return results
}

async function lastRevision(db: Pick<Transaction<Tables>, 'selectFrom'>): Promise<number> {
  const { last } = await db
    .selectFrom('endpoint_changes')
    .select(({ fn }) => fn.max<number | null>('revision').as('last'))
    .executeTakeFirstOrThrow()
  return last ?? 0
}

async function writeRow(
  transaction: Transaction<Tables>,
  name: string,
  columns: (Partial<EndpointRow> & Pick<EndpointRow, 'version' | 'updated_at'>) | undefined,
  before: EndpointRow | undefined,
): Promise<void> {
  if (columns === undefined) {
    await transaction.deleteFrom('endpoints').where('name', '=', name).execute()
    await transaction.deleteFrom('endpoint_attempts').where('endpoint', '=', name).execute()
  } else if (before !== undefined)
    await transaction.updateTable('endpoints').set(columns).where('name', '=', name).execute()
  else {
    const { settings = '{}', credentials = '{}', version, updated_at } = columns
    await transaction
      .insertInto('endpoints')
      .values({ name, settings, credentials, state: 'active', version, created_at: updated_at, updated_at })
      .execute()
  }
}
