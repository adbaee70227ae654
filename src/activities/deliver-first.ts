import { cancellationSignal } from '@temporalio/activity'
import { NO_PROGRESS } from '../domain/delivery.js'
import { makeAttempt, type AttemptDependencies, type DeliverInput } from './attempt.js'
import type { FirstOutcome } from './first-attempts.js'

/** How long it may hold the workflow task, in milliseconds; less than the local activity's own limit. */
const LIMIT_MS = 2_000

/**
 * The first attempt of a delivery, as a local activity within the workflow task: for an endpoint that is up
 * it is all there is. It holds the workflow task, so an endpoint that has lately failed or been slow is left
 * to a round, as is all when `enabled` is not set.
 */
export function createDeliverFirst(dependencies: AttemptDependencies, enabled: boolean) {
  return async function deliverFirst(input: DeliverInput): Promise<FirstOutcome> {
    if (!enabled || !dependencies.health.isQuick(input.endpoint)) return { kind: 'skipped' }
    const signal = AbortSignal.any([cancellationSignal(), AbortSignal.timeout(LIMIT_MS)])
    return makeAttempt(dependencies, input, NO_PROGRESS, signal)
  }
}
