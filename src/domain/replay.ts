import type { Delivery } from './delivery.js'

/** Which events a replay sends, by where their own delivery to the endpoint stands. */
export const REPLAY_STATES = ['delivered', 'discarded', 'absent', 'undelivered'] as const

/**
 * `delivered`: the endpoint has got it. `discarded`: it was given up. `absent`: the endpoint was not among those of
 * the event, as it was not registered yet or wanted other types. `undelivered`: discarded or absent.
 */
export type ReplayState = (typeof REPLAY_STATES)[number]

/** How many events a second a replay sends at most, where it is not told. */
export const DEFAULT_EVENTS_PER_SECOND = 100

/** How long Temporal's search may lag behind, in milliseconds, as far as a replay goes by it. */
export const VISIBILITY_LAG_MS = 5_000

/** What the ids of replays and of what they have sent begin with; no event's type may begin so. */
export const REPLAY_ID_PREFIX = 'external-sync.replay/'

/** Which past events are sent to which endpoint, and how fast. */
interface ReplayRequest {
  endpoint: string
  /** Only events that were accepted then or later, RFC 3339. */
  since: string
  /** Only events that were accepted before then, RFC 3339; absent: before the replay was started. */
  until?: string
  /** An event type, or `policy.*` for all that begin so; absent: all that the endpoint wants. */
  type?: string
  state?: ReplayState
  perSecond: number
}

/** Where a replay stands. Plain data: it is workflow state, and the memo that clients read. */
export interface ReplayRecord extends ReplayRequest {
  id: string
  /** RFC 3339: of what was accepted before, Temporal may have forgotten some. */
  reachesBackTo: string
  /** When it was started, RFC 3339. */
  startedAt?: string
  /** Whether an operator has paused it. */
  isPaused: boolean
  /** Events to look at; absent until they are counted. */
  total?: number
  /** Events that were sent so far, whatever has come of it. */
  sent: number
  /** Of them, those that were not taken at once; each went on in a workflow of its own. */
  wentOn: number
  /** Of them, those that go on still. */
  waiting: number
  /** Of them, those that were given up; counted at the end. */
  discarded: number
  /** Why nothing is sent at the moment, where that is the endpoint's doing. */
  heldUp?: ReplayHold | undefined
  /** Events that are not sent, as they are of another type or state. */
  skipped: number
  /** Events that Temporal has forgotten since they were found. */
  missing: number
}

/** Reasons for which a replay sends nothing. */
export const REPLAY_HOLDS = ['paused', 'down', 'waiting'] as const

/**
 * Why a replay sends nothing: the endpoint is paused or down, or so many events wait already that it would not
 * help. It looks again every few seconds.
 */
export type ReplayHold = (typeof REPLAY_HOLDS)[number]

/** How far a replay has come through the past. */
export interface ReplayCursor {
  /** The last workflow that was looked at, by when it was started (RFC 3339) and its run. */
  startedAt: string
  runId: string
  /** How many of its events were looked at; absent: all. */
  events?: number
  /** How much of the past is listed at once, in milliseconds. */
  spanMs: number
}

/** Whether a replay of this state sends an event; what is still on its way to the endpoint gets there by itself. */
export function isInState(state: ReplayState, delivery: Delivery | undefined): boolean {
  if (delivery === undefined) return state === 'absent' || state === 'undelivered'
  return delivery.state === state || (state === 'undelivered' && delivery.state === 'discarded')
}

/** The id of the workflow of a replay; what it has sent and was not taken at once goes on below it. */
export function replayWorkflowIdOf(replayId: string): string {
  return `${REPLAY_ID_PREFIX}${replayId}`
}
