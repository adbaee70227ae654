import type { ExpressionBuilder, Transaction } from 'kysely'
import type { WaitingReason } from '../domain/delivery.js'
import type { AttemptMinuteRow, EndpointAttemptsRow, StoreDatabase, Tables } from './store-database.js'
import { answering } from './store-unavailable.js'

/** How long minutes are kept. */
const KEPT_MINUTES = 120

/** Rows of one statement: databases bound the parameters of a statement. */
const ROWS_AT_ONCE = 500

/** What came of the attempts of an endpoint that ended in one minute. */
export interface AttemptMinute {
  /** Minutes since the epoch. */
  minute: number
  endpoint: string
  delivered: number
  failed: number
  /** How long those took that delivered, in milliseconds, all together. */
  latencyMsSum: number
  latencyMsMax: number
}

/** The latest attempts of an endpoint; times are milliseconds since the epoch. */
export interface LatestAttempts {
  endpoint: string
  deliveredAt?: number | undefined
  failedAt?: number | undefined
  /** The first failure since the last delivery. */
  failingSince?: number | undefined
  /** What the last failure came to. */
  failure?: 'retry' | WaitingReason | undefined
}

/** What a worker has seen since it wrote the last time. */
export interface AttemptBatch {
  minutes: readonly AttemptMinute[]
  latest: readonly LatestAttempts[]
}

/**
 * What came of the attempts of all workers, for those who look: nothing that is delivered depends on it. Every method
 * rejects with `STORE_UNAVAILABLE` where the database does not answer.
 */
export interface AttemptRecords {
  /** Adds what a worker has seen, and forgets minutes of more than two hours ago. */
  add(batch: AttemptBatch): Promise<void>
  /** The sums of all endpoints, of the minutes from `since` on in which there were attempts. */
  minutes(since: number): Promise<Omit<AttemptMinute, 'endpoint'>[]>
  /** Of each endpoint of which an attempt was made. */
  latest(): Promise<LatestAttempts[]>
}

export function createAttemptRecords(database: StoreDatabase): AttemptRecords {
  const { db, location } = database
  return {
    add: ({ minutes, latest }) =>
      answering(location, () =>
        database.write(async (transaction) => {
          for (const some of slices(minutes)) await addMinutes(transaction, some)
          for (const some of slices(latest)) await addLatest(transaction, some)
          const newest = minutes.reduce((last, { minute }) => Math.max(last, minute), 0)
          await transaction
            .deleteFrom('attempt_minutes')
            .where('minute', '<', newest - KEPT_MINUTES)
            .execute()
        }),
      ),
    minutes: (since) =>
      answering(location, async () => {
        const rows = await db
          .selectFrom('attempt_minutes')
          .select(({ fn }) => [
            'minute',
            fn.sum('delivered').as('delivered'),
            fn.sum('failed').as('failed'),
            fn.sum('latency_ms_sum').as('latencyMsSum'),
            fn.max('latency_ms_max').as('latencyMsMax'),
          ])
          .where('minute', '>=', since)
          .groupBy('minute')
          .orderBy('minute')
          .execute()
        // Postgres answers sums as texts.
        return rows.map(({ minute, delivered, failed, latencyMsSum, latencyMsMax }) => ({
          minute,
          delivered: Number(delivered),
          failed: Number(failed),
          latencyMsSum: Number(latencyMsSum),
          latencyMsMax,
        }))
      }),
    latest: () =>
      answering(location, async () => {
        const rows = await db.selectFrom('endpoint_attempts').selectAll().execute()
        return rows.map(fromRow)
      }),
  }
}

/** What two have seen of one endpoint, as if one had. */
export function mergeLatest(one: LatestAttempts, other: LatestAttempts): LatestAttempts {
  const deliveredAt = extreme(Math.max, [one.deliveredAt, other.deliveredAt])
  const failures = [one.failingSince, other.failingSince].filter((at = 0) => at > (deliveredAt ?? 0))
  const { failedAt, failure } = (one.failedAt ?? 0) > (other.failedAt ?? 0) ? one : other
  return {
    endpoint: one.endpoint,
    deliveredAt,
    failedAt,
    failure,
    failingSince: extreme(Math.min, failures),
  }
}

async function addMinutes(
  transaction: Transaction<Tables>,
  minutes: readonly AttemptMinute[],
): Promise<void> {
  type Eb = ExpressionBuilder<Tables & { excluded: AttemptMinuteRow }, 'attempt_minutes' | 'excluded'>
  const sum = (eb: Eb, column: 'delivered' | 'failed' | 'latency_ms_sum') =>
    eb(`attempt_minutes.${column}`, '+', eb.ref(`excluded.${column}`))
  await transaction
    .insertInto('attempt_minutes')
    .values(
      minutes.map(({ latencyMsSum, latencyMsMax, ...row }) => ({
        ...row,
        latency_ms_sum: latencyMsSum,
        latency_ms_max: latencyMsMax,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['minute', 'endpoint']).doUpdateSet({
        delivered: (eb) => sum(eb, 'delivered'),
        failed: (eb) => sum(eb, 'failed'),
        latency_ms_sum: (eb) => sum(eb, 'latency_ms_sum'),
        latency_ms_max: (eb) =>
          eb
            .case()
            .when('excluded.latency_ms_max', '>', eb.ref('attempt_minutes.latency_ms_max'))
            .then(eb.ref('excluded.latency_ms_max'))
            .else(eb.ref('attempt_minutes.latency_ms_max'))
            .end(),
      }),
    )
    .execute()
}

/** Nobody writes between the read and the write: it is within the store's `write`. */
async function addLatest(transaction: Transaction<Tables>, latest: readonly LatestAttempts[]): Promise<void> {
  const rows = await transaction
    .selectFrom('endpoint_attempts')
    .selectAll()
    .where(
      'endpoint',
      'in',
      latest.map(({ endpoint }) => endpoint),
    )
    .execute()
  const before = new Map(rows.map((row) => [row.endpoint, fromRow(row)]))
  await transaction
    .insertInto('endpoint_attempts')
    .values(latest.map((seen) => toRow(mergeLatest(before.get(seen.endpoint) ?? seen, seen))))
    .onConflict((conflict) =>
      conflict.column('endpoint').doUpdateSet((eb) => ({
        delivered_at: eb.ref('excluded.delivered_at'),
        failed_at: eb.ref('excluded.failed_at'),
        failing_since: eb.ref('excluded.failing_since'),
        failure: eb.ref('excluded.failure'),
      })),
    )
    .execute()
}

function toRow({
  endpoint,
  deliveredAt,
  failedAt,
  failingSince,
  failure,
}: LatestAttempts): EndpointAttemptsRow {
  return {
    endpoint,
    delivered_at: deliveredAt ?? null,
    failed_at: failedAt ?? null,
    failing_since: failingSince ?? null,
    failure: failure ?? null,
  }
}

function fromRow(row: EndpointAttemptsRow): LatestAttempts {
  return {
    endpoint: row.endpoint,
    deliveredAt: row.delivered_at ?? undefined,
    failedAt: row.failed_at ?? undefined,
    failingSince: row.failing_since ?? undefined,
    failure: (row.failure ?? undefined) as LatestAttempts['failure'],
  }
}

function extreme(
  choose: (...numbers: number[]) => number,
  numbers: (number | undefined)[],
): number | undefined {
  const known = numbers.filter((number) => number !== undefined)
  return known.length === 0 ? undefined : choose(...known)
}

function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += ROWS_AT_ONCE) yield all.slice(from, from + ROWS_AT_ONCE)
}
