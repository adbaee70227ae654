import type { WaitingReason } from './delivery.js'
import { ROUND_LIMIT_MS } from './retry-schedule.js'

/**
 * Where an endpoint stands. `upToDate`: nothing waits for it. `retrying`: its last attempts failed, and are made again
 * soon. `behind`: deliveries wait for it. `paused`: an operator holds them back. `unusable`: its stored settings are
 * not accepted, so that what comes waits.
 */
export const ENDPOINT_STATUSES = ['upToDate', 'retrying', 'behind', 'paused', 'unusable'] as const
export type EndpointStatusName = (typeof ENDPOINT_STATUSES)[number]

/** An endpoint as an operator wants to see it at a glance. */
export interface EndpointStatus {
  name: string
  state: EndpointStatusName
  /** While it is behind: what its last failure came to. Absent where it delivers again, or is not known. */
  reason?: Exclude<WaitingReason, 'paused'>
  /** What of its stored settings is not accepted. */
  problem?: string
  /** How many deliveries wait for it. */
  waiting: number
  /** There: more may wait, as so many wait in all that not each was looked at. */
  atLeast?: true
  /** Where deliveries wait: when the oldest was accepted. While it is retrying: its first failure. RFC 3339. */
  since?: string
  /** There: one may wait since earlier. */
  orEarlier?: true
  /** RFC 3339; a few seconds late. */
  lastDeliveredAt?: string
  /** RFC 3339; a few seconds late. */
  lastFailedAt?: string
}

/** How many endpoints there are, by where they stand. */
export type EndpointTotals = Record<EndpointStatusName, number> & { all: number }

/** What came of the attempts that ended in one minute. */
export interface MinuteStatus {
  /** When the minute began, RFC 3339. */
  at: string
  delivered: number
  failed: number
  /** How long the requests took that delivered; absent where none did. */
  meanLatencyMs?: number
  maxLatencyMs?: number
}

/** How everything stands but for events, a second or two ago. */
export interface StatusOverview {
  /** The namespace in Temporal that this is about. */
  namespace: string
  /** Of all endpoints, shown or not. */
  totals: EndpointTotals
  /** Deliveries that wait, of all endpoints. */
  waiting: { count: number; atLeast?: true }
  /** Those in trouble first. */
  endpoints: EndpointStatus[]
  /** How many more there are that match. */
  more: number
  /** The minutes of the last hour in which there were attempts. */
  minutes: MinuteStatus[]
}

/** What is known of an endpoint, from which its status follows. */
export interface EndpointFacts {
  name: string
  isPaused: boolean
  /** What of its stored settings is not accepted. */
  problem?: string | undefined
  waiting: number
  /** Whether that is all, or what was found of it. */
  isCounted: boolean
  /** When the oldest delivery that waits was accepted, RFC 3339, of those that were found. */
  oldest?: string | undefined
  /** Whether all were found. */
  isComplete: boolean
  /** Times are milliseconds since the epoch. */
  deliveredAt?: number | undefined
  failedAt?: number | undefined
  failingSince?: number | undefined
  failure?: 'retry' | WaitingReason | undefined
}

/** What would be attempted later than within a round waits; so what failed longer ago has ended, or waits. */
const RETRYING_MS = ROUND_LIMIT_MS + 60_000
/** How long search may not show yet that a delivery waits. */
const LAG_MS = 5_000

/** Whether deliveries may wait for it that a search has not shown. */
export function mayWait({ isCounted, isPaused, waiting, failingSince, failure }: EndpointFacts): boolean {
  return !isCounted && (isPaused || waiting > 0 || failingSince !== undefined || failure === 'rejected')
}

/** Says where an endpoint stands. */
export function endpointStatus(facts: EndpointFacts, now: number): EndpointStatus {
  const { name, problem, waiting, oldest, deliveredAt, failedAt } = facts
  const state = stateOf(facts, now)
  const since = state === 'retrying' ? timeOf(facts.failingSince) : oldest
  const isBound = !facts.isComplete && since === oldest
  const reason = state === 'behind' ? reasonOf(facts) : undefined
  const lastDeliveredAt = timeOf(deliveredAt)
  const lastFailedAt = timeOf(failedAt)
  return {
    name,
    state,
    ...(reason !== undefined && { reason }),
    ...(problem !== undefined && { problem }),
    waiting,
    ...(!facts.isCounted && { atLeast: true }),
    ...(since !== undefined && { since, ...(isBound && { orEarlier: true }) }),
    ...(lastDeliveredAt !== undefined && { lastDeliveredAt }),
    ...(lastFailedAt !== undefined && { lastFailedAt }),
  }
}

/** Those that need somebody come first; of these, those for which most waits. */
export function byUrgency(one: EndpointStatus, other: EndpointStatus): number {
  return urgencyOf(one) - urgencyOf(other) || other.waiting - one.waiting || (one.name < other.name ? -1 : 1)
}

/** Counts them by where they stand. */
export function totalsOf(endpoints: readonly EndpointStatus[]): EndpointTotals {
  const totals = { all: endpoints.length, upToDate: 0, retrying: 0, behind: 0, paused: 0, unusable: 0 }
  for (const { state } of endpoints) totals[state] += 1
  return totals
}

function stateOf(facts: EndpointFacts, now: number): EndpointStatusName {
  if (facts.problem !== undefined) return 'unusable'
  if (facts.isPaused) return 'paused'
  if (facts.waiting > 0) return 'behind'
  if (facts.failingSince === undefined || facts.failedAt === undefined) return 'upToDate'
  return now - facts.failedAt < (facts.failure === 'retry' ? RETRYING_MS : LAG_MS) ? 'retrying' : 'upToDate'
}

/** What was rejected waits although others are delivered; any other reason ends with a delivery. */
function reasonOf({ failingSince, failure }: EndpointFacts): EndpointStatus['reason'] {
  if (failure === 'rejected') return failure
  if (failingSince === undefined || failure === 'paused') return undefined
  return failure === 'retry' ? 'down' : failure
}

function urgencyOf({ state, waiting }: EndpointStatus): number {
  if (state === 'paused') return waiting > 0 ? 2 : 3
  return { unusable: 0, behind: 0, retrying: 1, upToDate: 4 }[state]
}

function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}
