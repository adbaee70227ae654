import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import {
  afterRound,
  newDelivery,
  NO_PROGRESS,
  type AttemptOutcome,
  type Delivery,
} from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { isInState, type ReplayCursor, type ReplayHold, type ReplayRecord } from '../domain/replay.js'
import { isUsable, type StoredEndpoint } from '../store/endpoint-store.js'
import type { Found } from '../temporal/past-events.js'
import { concurrencyOf } from './admission.js'
import { makeAttempt, type AttemptDependencies } from './attempt.js'
import { countGoingOn, goOnByItself } from './replayed-events.js'

/** Attempts that are under way at the same time at most; half of what the endpoint takes is left to the others. */
const MAX_CONCURRENT = 20

/**
 * So many may go on by themselves, of those that began in the last ten minutes: an outage must not make a waiting
 * workflow of every past event, and events that are never taken must not hold up the others for ever.
 */
const MAX_GOING_ON = 100
const GOING_ON_SINCE_MS = 10 * 60_000

/** Where an event's own delivery to an endpoint stands; undefined where it has none to that endpoint. */
export type ReadDelivery = (
  event: Pick<SyncEvent, 'type' | 'id'>,
  endpoint: string,
  groupId: string | undefined,
) => Promise<Delivery | undefined>

export interface ReplayDependencies extends AttemptDependencies {
  client: Client
  readDelivery: ReadDelivery
  /** Whether attempts may be made that are no activity of their own. */
  expressAttempts: boolean
}

/** What has come of what was found, and how far that is. */
export interface Step extends Partial<Pick<ReplayRecord, 'sent' | 'wentOn' | 'skipped' | 'missing'>> {
  cursor: ReplayCursor
}

/** Sends past events for one slice of a replay. */
export interface ReplaySender {
  readonly concurrency: number
  /** Why it has stopped, where the endpoint takes nothing at the moment. */
  readonly heldUp: ReplayHold | undefined
  /** Sends what was found, where it is to be sent; without a result, it is to be sent later. */
  take(found: Found): Promise<Step | undefined>
  /** Waits until the next event may be sent. */
  turn(): Promise<void>
}

export async function createReplaySender(
  dependencies: ReplayDependencies,
  {
    replay,
    endpoint,
    taskQueue,
    waiting,
    signal,
  }: {
    replay: ReplayRecord
    endpoint: StoredEndpoint
    taskQueue: string
    /** How many of the replay's events go on by themselves. */
    waiting: number
    signal: AbortSignal
  },
): Promise<ReplaySender> {
  const { client, health, expressAttempts, readDelivery } = dependencies
  const { id, endpoint: name, state } = replay
  const ownLimit = isUsable(endpoint) ? endpoint.maxAttemptsPerSecond : undefined
  const perSecond = Math.min(replay.perSecond, ownLimit ?? Infinity)
  const since = new Date(Date.now() - GOING_ON_SINCE_MS).toISOString()
  const goingOn = waiting < MAX_GOING_ON ? waiting : await countGoingOn(client, id, since)
  const mostConcurrent = Math.min(
    MAX_CONCURRENT,
    isUsable(endpoint) ? Math.ceil(concurrencyOf(endpoint) / 2) : 1,
    Math.ceil(perSecond * 2),
  )
  // Temporal's server paces what is an activity of its own.
  const isAttempted = expressAttempts && ownLimit === undefined
  let heldUp: ReplayHold | undefined
  let wentOn = 0
  let nextTurnAt = -Infinity
  // All attempts of a slice share it.
  setMaxListeners(0, signal)

  const isFull = (): boolean => goingOn + wentOn >= MAX_GOING_ON

  return {
    // What is not taken then is sent again: one at a time.
    concurrency: isFull() || health.isDown(endpoint) ? 1 : mostConcurrent,
    get heldUp() {
      return heldUp
    },
    turn,
    take: async (found) => {
      const { cursor } = found
      if (found.kind === 'unwanted') return { skipped: 1, cursor }
      if (found.kind === 'missing') return { missing: found.count, cursor }
      const { event, groupId } = found
      if (state !== undefined && !isInState(state, await readDelivery(event, name, groupId))) {
        return { skipped: 1, cursor }
      }
      return send(event, cursor)
    },
  }

  async function turn(): Promise<void> {
    const now = performance.now()
    const at = Math.max(now, nextTurnAt)
    nextTurnAt = at + 1_000 / perSecond
    if (at > now) await sleep(at - now, undefined, { signal }).catch(() => undefined)
  }

  async function send(event: SyncEvent, cursor: ReplayCursor): Promise<Step | undefined> {
    const before = holdBefore()
    if (before !== undefined) return hold(before)
    await turn()
    if (signal.aborted) return undefined
    const acceptedAt = new Date().toISOString()
    const input = { endpoint: name, event, acceptedAt, earlierAttempts: 0 }
    const outcome = isAttempted ? await makeAttempt(dependencies, input, NO_PROGRESS, { signal }) : undefined
    // The next slice finds that the endpoint was removed.
    if (outcome?.kind === 'interrupted' || outcome?.kind === 'discarded') return undefined
    if (outcome?.kind === 'delivered') return { sent: 1, cursor }
    const reason = outcome && holdAfter(outcome)
    if (reason !== undefined) return hold(reason)
    const delivery = outcome && afterRound(newDelivery(name), outcome, new Date())
    wentOn += 1
    await goOnByItself({ client, taskQueue }, replay, { event, acceptedAt, ...(delivery && { delivery }) })
    return { sent: 1, wentOn: 1, cursor }
  }

  /** Why an attempt would come to nothing. */
  function holdBefore(): ReplayHold | undefined {
    if (isUsable(endpoint) && endpoint.state === 'paused') return 'paused'
    if (health.isDown(endpoint) && !health.isProbeDue(endpoint, Date.now())) return 'down'
    return !isAttempted && isFull() ? 'waiting' : undefined
  }

  /** Why what an attempt has come to is rather sent again than left to a workflow of its own. */
  function holdAfter(outcome: AttemptOutcome): ReplayHold | undefined {
    if (outcome.kind === 'waiting') {
      if (outcome.reason === 'paused') return 'paused'
      // The endpoint is there, and will have to be asked for this event again.
      if (outcome.reason === 'rejected') return undefined
      if (outcome.reason === 'down' && outcome.attempts === 0) return 'down'
    }
    return isFull() ? 'waiting' : undefined
  }

  function hold(reason: ReplayHold): undefined {
    heldUp ??= reason
  }
}
