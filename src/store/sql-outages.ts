import type { Outage, OutageRecord, Outages } from './outages.js'
import type { OutageRow, StoreDatabase } from './store-database.js'
import { answering } from './store-unavailable.js'

/** Outages in any database that Kysely speaks. */
export class SqlOutages implements Outages {
  constructor(private readonly database: StoreDatabase) {}

  list(): Promise<OutageRecord[]> {
    return this.#answering(async () => {
      const rows = await this.database.db.selectFrom('outages').selectAll().execute()
      return rows.map(toRecord)
    })
  }

  begin({ endpoint, reason, since, error }: Outage): Promise<boolean> {
    return this.#answering(async () => {
      const { numInsertedOrUpdatedRows = 0n } = await this.database.write((transaction) =>
        transaction
          .insertInto('outages')
          .values({ endpoint, reason, since, error: error ?? null, recovered_at: null, is_told: 0 })
          .onConflict((conflict) => conflict.column('endpoint').doNothing())
          .executeTakeFirstOrThrow(),
      )
      return numInsertedOrUpdatedRows > 0n
    })
  }

  end(endpoint: string, recoveredAt: string): Promise<Outage | undefined> {
    return this.#answering(async () => {
      const row = await this.database.write((transaction) =>
        transaction
          .updateTable('outages')
          .set({ recovered_at: recoveredAt, is_told: 0 })
          .where('endpoint', '=', endpoint)
          .where('recovered_at', 'is', null)
          .returningAll()
          .executeTakeFirst(),
      )
      return row && toOutage(row)
    })
  }

  markTold({ endpoint, since }: Outage): Promise<void> {
    return this.#answering(() =>
      this.database.write(async (transaction) => {
        await transaction
          .deleteFrom('outages')
          .where('endpoint', '=', endpoint)
          .where('since', '=', since)
          .where('recovered_at', 'is not', null)
          .execute()
        await transaction
          .updateTable('outages')
          .set({ is_told: 1 })
          .where('endpoint', '=', endpoint)
          .where('since', '=', since)
          .execute()
      }),
    )
  }

  #answering<T>(work: () => Promise<T>): Promise<T> {
    return answering(this.database.location, work)
  }
}

function toRecord(row: OutageRow): OutageRecord {
  const { recovered_at: recoveredAt, is_told: isTold } = row
  return { ...toOutage(row), isTold: isTold === 1, ...(recoveredAt !== null && { recoveredAt }) }
}

function toOutage({ endpoint, reason, since, error }: OutageRow): Outage {
  return { endpoint, reason, since, ...(error !== null && { error }) }
}
