import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import { NO_PROGRESS, type RoundOutcome, type RoundProgress } from '../domain/delivery.js'
import { makeAttempt, type AttemptDependencies, type DeliverInput } from './attempt.js'

/** How often a running attempt tells the server that its worker lives, in milliseconds. */
const HEARTBEAT_INTERVAL_MS = 3_000

/**
 * One round: each execution is one attempt, and what Temporal should retry is thrown. What the attempts have
 * come to goes from one to the next in the heartbeat details.
 */
export function createDeliver(dependencies: AttemptDependencies) {
  return async function deliver(input: DeliverInput): Promise<RoundOutcome> {
    const {
      heartbeatDetails,
      attempt,
      scheduledTimestampMs,
      currentAttemptScheduledTimestampMs: at,
    } = activityInfo()
    // A server that loses them still has its rounds end.
    const lost = attempt > 1 ? { ...NO_PROGRESS, pace: { startedAt: scheduledTimestampMs } } : NO_PROGRESS
    const before = (heartbeatDetails as RoundProgress | undefined) ?? lost
    const beating = setInterval(() => heartbeat(before), HEARTBEAT_INTERVAL_MS)
    try {
      const outcome = await makeAttempt(dependencies, { ...input, at }, before, {
        signal: cancellationSignal(),
      })
      if (outcome.kind !== 'retry') return outcome
      const { attempts, evidence, pace, retryInMs } = outcome
      heartbeat({ attempts, evidence, ...(pace !== undefined && { pace }) } satisfies RoundProgress)
      const madeOne = attempts > before.attempts
      if (madeOne) throw retryable('AttemptFailed', `${input.endpoint}: ${evidence.at(-1)?.error}`, retryInMs)
      const limit = pace?.timesAtLimit === undefined ? 'of attempts in a second' : 'of concurrent attempts'
      throw retryable('AtItsLimit', `${input.endpoint}: at its limit ${limit}`, retryInMs)
    } finally {
      clearInterval(beating)
    }
  }
}

/**
 * The one place where Temporal is told to try again. `BENIGN`, as an endpoint that is down is nothing wrong
 * with the worker; without a stack, which would say nothing and be kept with each attempt.
 */
function retryable(type: string, message: string, nextRetryDelay: number): ApplicationFailure {
  const category = ApplicationFailureCategory.BENIGN
  const failure = ApplicationFailure.create({ message, type, nextRetryDelay, category })
  failure.stack = ''
  return failure
}
