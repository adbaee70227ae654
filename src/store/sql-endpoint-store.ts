import { isDeepStrictEqual } from 'node:util'
import type { Kysely } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { settingsOf, type Endpoint, type EndpointSettings } from '../domain/endpoint.js'
import { SyncError } from '../domain/errors.js'
import type { EndpointStore, Registration } from './endpoint-store.js'

/** The tables, as Kysely sees them. */
export interface Database {
  endpoints: EndpointRow
}

/** Settings and credentials are JSON, kept apart so that a dump of the settings holds no secret. */
interface EndpointRow {
  name: string
  settings: string
  credentials: string
  /** A new UUIDv7 with every write; a writer replaces only the version that it read. */
  version: string
  created_at: string
  updated_at: string
}

const storedSettings = z.object({ url: z.string(), events: z.array(z.string()).optional() })
const storedCredentials = z.object({ authToken: z.string().optional() })

/** An endpoint store over any database that Kysely speaks, without transactions: each write is conditional. */
export class SqlEndpointStore implements EndpointStore {
  constructor(
    private readonly db: Kysely<Database>,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async put(name: string, settings: EndpointSettings): Promise<Registration> {
    for (;;) {
      if (await this.insert(name, settings)) return 'created'
      const result = await this.update(name, () => settings)
      if (result !== undefined) return result
    }
  }

  async update(
    name: string,
    change: (current: EndpointSettings) => EndpointSettings,
  ): Promise<'updated' | 'unchanged' | undefined> {
    for (;;) {
      const current = await this.get(name)
      if (current === undefined) return undefined
      const before = settingsOf(current)
      const after = change(before)
      if (isDeepStrictEqual(before, after)) return 'unchanged'
      const { numUpdatedRows } = await this.db
        .updateTable('endpoints')
        .set({ ...toColumns(after), version: uuidv7(), updated_at: this.now().toISOString() })
        .where('name', '=', name)
        .where('version', '=', current.version)
        .executeTakeFirst()
      if (numUpdatedRows > 0n) return 'updated'
    }
  }

  async get(name: string): Promise<Endpoint | undefined> {
    const row = await this.db.selectFrom('endpoints').selectAll().where('name', '=', name).executeTakeFirst()
    return row && toEndpoint(row)
  }

  async list(): Promise<Endpoint[]> {
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

  private async insert(name: string, settings: EndpointSettings): Promise<boolean> {
    const now = this.now().toISOString()
    const { numInsertedOrUpdatedRows } = await this.db
      .insertInto('endpoints')
      .values({ name, ...toColumns(settings), version: uuidv7(), created_at: now, updated_at: now })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .executeTakeFirst()
    return (numInsertedOrUpdatedRows ?? 0n) > 0n
  }
}

function toColumns({
  authToken,
  ...settings
}: EndpointSettings): Pick<EndpointRow, 'settings' | 'credentials'> {
  return { settings: JSON.stringify(settings), credentials: JSON.stringify({ authToken }) }
}

function toEndpoint(row: EndpointRow): Endpoint {
  return {
    name: row.name,
    ...parseStored(row),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function parseStored({ name, settings, credentials }: EndpointRow): EndpointSettings {
  try {
    return settingsOf({
      ...storedSettings.parse(JSON.parse(settings)),
      ...storedCredentials.parse(JSON.parse(credentials)),
    })
  } catch {
    // Without the cause: a syntax error quotes the text, and with it a secret.
    throw new SyncError(
      'STORE_UNAVAILABLE',
      `the stored settings of endpoint ${name} cannot be read; remove the endpoint and register it again`,
    )
  }
}
