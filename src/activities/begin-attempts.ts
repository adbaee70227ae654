import pLimit, { type LimitFunction } from 'p-limit'
import type { Logger } from '../logger.js'
import type { DeliverInput } from './attempt.js'
import type { DeliverFirst } from './deliver-first.js'
import type { FirstOutcome } from './first-attempts.js'

/** Attempts that are under way at the same time, of one event or to one endpoint. */
const CONCURRENCY = 20

/** Attempts of a group that are under way at the same time: more would all look slow, and open connections anew. */
const GROUP_CONCURRENCY = 200

/** However many endpoints a group has, each of them gets so many attempts at the same time. */
const MIN_CONCURRENCY = 4

/** After so long without a quick delivery no more begin, in milliseconds: the others' outcomes wait for them. */
const BEGIN_WITHIN_MS = 1_000

/** What a quick one takes at most, in milliseconds. */
const QUICK_MS = 500

/** The last of them begins within this time at any rate, in milliseconds; less than the local activity's limit. */
const BEGIN_ALL_WITHIN_MS = 8_000

/** A first attempt to be made; says whether it has delivered. */
type BeginAttempt = () => Promise<boolean>

/** In which attempts are made a few at a time, whoever wants them. */
export interface AttemptQueue {
  limit: LimitFunction
  /** When the last quick delivery ended, on the process's own clock. */
  deliveredAt: number
}

export function createAttemptQueue(): AttemptQueue {
  return { limit: pLimit(CONCURRENCY), deliveredAt: -Infinity }
}

/**
 * Shares what a group may have under way among its endpoints. One that takes few attempts at a time gets half of
 * them from its queue; the rest is for its rounds.
 */
export function fitQueue({ limit }: AttemptQueue, endpoints: number, maxConcurrentAttempts = Infinity): void {
  const share = Math.max(MIN_CONCURRENCY, Math.floor(GROUP_CONCURRENCY / endpoints))
  limit.concurrency = Math.min(CONCURRENCY, share, Math.ceil(maxConcurrentAttempts / 2))
}

/**
 * Makes attempts in order, for as long as those of the queue deliver quickly; those to which it does not come in
 * time are not made. `onBegun` is called when the last one's turn has come.
 */
export async function beginAttempts(
  attempts: readonly BeginAttempt[],
  queue: AttemptQueue,
  onBegun?: () => void,
): Promise<void> {
  const startedAt = performance.now()
  let turnsLeft = attempts.length
  await Promise.all(attempts.map((attempt) => queue.limit(makeInTime, attempt)))

  async function makeInTime(attempt: BeginAttempt): Promise<void> {
    turnsLeft -= 1
    if (turnsLeft === 0) onBegun?.()
    const beganAt = performance.now()
    const beginsBefore = Math.max(startedAt, queue.deliveredAt) + BEGIN_WITHIN_MS
    if (beganAt > Math.min(beginsBefore, startedAt + BEGIN_ALL_WITHIN_MS)) return
    const delivered = await attempt()
    const endedAt = performance.now()
    if (delivered && endedAt - beganAt <= QUICK_MS) queue.deliveredAt = endedAt
  }
}

/** The first attempt of a delivery; one that has no outcome is left to a round, and delays no other. */
export async function attemptFirst(
  deliverFirst: DeliverFirst,
  logger: Logger,
  input: Omit<DeliverInput, 'earlierAttempts'>,
  signal: AbortSignal,
  isTrial = false,
): Promise<FirstOutcome> {
  try {
    return await deliverFirst({ ...input, earlierAttempts: 0 }, signal, isTrial)
  } catch (error) {
    logger.error({ err: error, endpoint: input.endpoint }, 'a first attempt has no outcome')
    return { kind: 'skipped' }
  }
}
