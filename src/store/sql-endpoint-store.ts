import { isDeepStrictEqual } from 'node:util'
import type { Kysely } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { SECRET_SETTINGS, type EndpointSettings, type EndpointState } from '../domain/endpoint.js'
import { InvalidInputError } from '../domain/errors.js'
import { parseEndpoint } from '../domain/parse-endpoint.js'
import type { EndpointStore, Registration, StoredEndpoint } from './endpoint-store.js'

/** The tables, as Kysely sees them. */
export interface Database {
  endpoints: EndpointRow
}

/** Settings and credentials are JSON, kept apart so that a dump of the settings holds no secret. */
interface EndpointRow {
  name: string
  settings: string
  credentials: string
  state: EndpointState
  /** A new UUIDv7 with every write; a writer replaces only the version that it read. */
  version: string
  created_at: string
  updated_at: string
}

/** An endpoint store over any database that Kysely speaks, without transactions: each write is conditional. */
export class SqlEndpointStore implements EndpointStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async put(name: string, settings: EndpointSettings): Promise<Registration> {
    for (;;) {
      if (await this.#insert(name, settings)) return 'created'
      const result = await this.update(name, () => settings)
      if (result !== undefined) return result
    }
  }

  async update(
    name: string,
    change: (current: EndpointSettings) => EndpointSettings,
  ): Promise<'updated' | 'unchanged' | undefined> {
    return this.#replace(name, (row) => {
      const { settings: before, problem } = readSettings(row)
      const after = change(before)
      const isSame = problem === undefined && isDeepStrictEqual(before, after)
      return isSame ? undefined : toColumns(after)
    })
  }

  async setState(name: string, state: EndpointState): Promise<'updated' | 'unchanged' | undefined> {
    return this.#replace(name, (row) => (row.state === state ? undefined : { state }))
  }

  async get(name: string): Promise<StoredEndpoint | undefined> {
    const row = await this.#row(name)
    return row && toEndpoint(row)
  }

  async list(): Promise<StoredEndpoint[]> {
    const rows = await this.db.selectFrom('endpoints').selectAll().orderBy('name').execute()
    return rows.map(toEndpoint)
  }

  async remove(name: string): Promise<boolean> {
    const { numDeletedRows } = await this.db
      .deleteFrom('endpoints')
      .where('name', '=', name)
      .executeTakeFirst()
    return numDeletedRows > 0n
  }

  async close(): Promise<void> {
    await this.db.destroy()
  }

  async #row(name: string): Promise<EndpointRow | undefined> {
    return this.db.selectFrom('endpoints').selectAll().where('name', '=', name).executeTakeFirst()
  }

  async #insert(name: string, settings: EndpointSettings): Promise<boolean> {
    const now = this.now().toISOString()
    const { numInsertedOrUpdatedRows } = await this.db
      .insertInto('endpoints')
      .values({
        name,
        ...toColumns(settings),
        state: 'active',
        version: uuidv7(),
        created_at: now,
        updated_at: now,
      })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .executeTakeFirst()
    return (numInsertedOrUpdatedRows ?? 0n) > 0n
  }

  /** Writes what `change` makes of the row, again when another process wrote in between. */
  async #replace(
    name: string,
    change: (row: EndpointRow) => Partial<EndpointRow> | undefined,
  ): Promise<'updated' | 'unchanged' | undefined> {
    for (;;) {
      const row = await this.#row(name)
      if (row === undefined) return undefined
      const changes = change(row)
      if (changes === undefined) return 'unchanged'
      const { numUpdatedRows } = await this.db
        .updateTable('endpoints')
        .set({ ...changes, version: uuidv7(), updated_at: this.now().toISOString() })
        .where('name', '=', name)
        .where('version', '=', row.version)
        .executeTakeFirst()
      if (numUpdatedRows > 0n) return 'updated'
    }
  }
}

function toColumns(settings: EndpointSettings): Pick<EndpointRow, 'settings' | 'credentials'> {
  const entries = Object.entries(settings)
  return {
    settings: JSON.stringify(Object.fromEntries(entries.filter((entry) => !isSecret(entry)))),
    credentials: JSON.stringify(Object.fromEntries(entries.filter(isSecret))),
  }
}

function isSecret([name]: [string, unknown]): boolean {
  return SECRET_SETTINGS.some((secret) => secret === name)
}

/** A row's settings as stored, whether or not they are accepted today, and what is wrong with them. */
interface StoredSettings {
  /** What cannot be read is absent. */
  settings: EndpointSettings
  problem?: string
}

function readSettings(row: EndpointRow): StoredSettings {
  const parts = { settings: parseObject(row.settings), credentials: parseObject(row.credentials) }
  const settings = { ...parts.settings, ...parts.credentials } as EndpointSettings
  for (const part of ['settings', 'credentials'] as const) {
    if (parts[part] === undefined)
      return { settings, problem: `the stored ${part} cannot be read; update the endpoint` }
  }
  try {
    parseEndpoint(row.name, settings)
    return { settings }
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    return { settings, problem: `what is stored is not accepted: ${error.message}` }
  }
}

/** Without the cause: a syntax error quotes the text, and with it a secret. */
function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function toEndpoint(row: EndpointRow): StoredEndpoint {
  const { name, state, version, created_at: createdAt, updated_at: updatedAt } = row
  const identity = { name, state, version, createdAt, updatedAt }
  const { settings, problem } = readSettings(row)
  if (problem === undefined) return { ...settings, ...identity }
  const isFilterReadable =
    Array.isArray(settings.events) && settings.events.every((filter) => typeof filter === 'string')
  return { ...identity, ...(isFilterReadable && { events: settings.events }), problem }
}
