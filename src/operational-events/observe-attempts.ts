import type { ObservedAttempt } from '../activities/attempt.js'
import type { SyncEvent } from '../domain/event.js'
import { EventConflictError } from '../domain/errors.js'
import { isOwn } from '../domain/reserved-types.js'
import type { Logger } from '../logger.js'
import type { EndpointReader } from '../store/endpoint-cache.js'
import type { Outage, OutageRecord, Outages } from '../store/outages.js'
import { deliveryRejected, endpointFailing, endpointRecovered } from './operational-events.js'

/** How old what is known of outages may become while attempts are made, in milliseconds. */
const STALENESS_MS = 10_000
/** What is not told after so long was left by a worker that has ended, in milliseconds. */
const TOLD_WITHIN_MS = 30_000

interface OperationalEventsDependencies {
  outages: Outages
  endpoints: Pick<EndpointReader, 'subscribers'>
  /** Hands an event to Temporal. */
  emit: (event: SyncEvent) => Promise<unknown>
  logger: Logger
  now?: () => number
}

/** Tells of what happens to deliveries by events of this system itself. */
export interface OperationalEvents {
  /** Takes an attempt into account; never fails, and the delivery does not wait for it. */
  observe(attempt: ObservedAttempt): void
  /** Waits for what is under way. */
  settle(): Promise<void>
}

/**
 * Emits `external-sync.endpoint.failing` when an endpoint goes down or turns out to be misconfigured,
 * `external-sync.endpoint.recovered` with its next success, and `external-sync.delivery.rejected` for an event that
 * its receiver rejects. Which outages there are is on record in the store, so that each is told once, whichever
 * worker notices it, and is told after a crash too. Attempts to deliver such events raise none.
 */
export function createOperationalEvents({
  outages,
  endpoints,
  emit,
  logger,
  now = Date.now,
}: OperationalEventsDependencies): OperationalEvents {
  const known = new Set<string>()
  let asOf = -Infinity
  /** One thing after the other: attempts of a burst notice the same outage. */
  let underWay: Promise<void> = Promise.resolve()

  return { observe, settle: () => underWay }

  function observe(attempt: ObservedAttempt): void {
    const { endpoint, event, outcome, isDown } = attempt
    if (isOwn(event.type)) return
    if (now() - asOf > STALENESS_MS) {
      asOf = now()
      then(refresh)
    }
    const failsFor = outcome === 'misconfigured' ? outcome : isDown ? 'down' : undefined
    if (failsFor !== undefined) {
      if (known.has(endpoint)) return
      known.add(endpoint)
      then(() => begin(attempt, failsFor))
    } else if (outcome === 'delivered' || outcome === 'rejected') {
      if (known.delete(endpoint)) then(() => end(endpoint))
      if (outcome === 'rejected') then(() => tell(rejectionOf(attempt)))
    }
  }

  function then(work: () => Promise<void>): void {
    underWay = underWay.then(work).catch((error: unknown) => {
      asOf = -Infinity
      logger.warn({ err: error }, 'an operational event is not told yet')
    })
  }

  async function refresh(): Promise<void> {
    const records = await outages.list()
    known.clear()
    for (const record of records) {
      if (record.recoveredAt === undefined) known.add(record.endpoint)
      if (!record.isTold && wasLeft(record)) await tellTurn(record)
    }
  }

  function wasLeft({ since, recoveredAt }: OutageRecord): boolean {
    return now() - Date.parse(recoveredAt ?? since) > TOLD_WITHIN_MS
  }

  async function begin(
    { endpoint, startedAt, error }: ObservedAttempt,
    reason: Outage['reason'],
  ): Promise<void> {
    const since = new Date(startedAt).toISOString()
    const outage: Outage = { endpoint, reason, since, ...(error !== undefined && { error }) }
    const isNews = await outages.begin(outage)
    known.add(endpoint)
    if (!isNews) return
    logger.warn({ ...outage }, 'the endpoint is failing')
    await tellTurn(outage)
  }

  async function end(endpoint: string): Promise<void> {
    const recoveredAt = new Date(now()).toISOString()
    const outage = await outages.end(endpoint, recoveredAt)
    if (outage === undefined) return
    logger.info({ endpoint, since: outage.since, recoveredAt }, 'the endpoint has recovered')
    await tellTurn({ ...outage, recoveredAt })
  }

  async function tellTurn(outage: Outage & { recoveredAt?: string }): Promise<void> {
    const { recoveredAt } = outage
    await tell(recoveredAt === undefined ? endpointFailing(outage) : endpointRecovered(outage, recoveredAt))
    await outages.markTold(outage)
  }

  /** Nothing is started for events that nobody wants. */
  async function tell(event: SyncEvent): Promise<void> {
    if ((await endpoints.subscribers(event.type)).length === 0) return
    try {
      await emit(event)
    } catch (error) {
      // It was told before, by a worker that had seen a little more or less.
      if (!(error instanceof EventConflictError)) throw error
    }
  }
}

function rejectionOf({ endpoint, event, startedAt, status, error }: ObservedAttempt): SyncEvent {
  return deliveryRejected({
    endpoint,
    event,
    at: new Date(startedAt).toISOString(),
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error }),
  })
}
