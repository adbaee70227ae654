import { SILENT_HANGS_AFTER_MS } from '../delivery/endpoint-health.js'
import { NO_PROGRESS, type Skipped } from '../domain/delivery.js'
import { isUsable, type StoredEndpoint } from '../store/endpoint-store.js'
import { isProbed } from './admission.js'
import { makeAttempt, timeOf, type AttemptDependencies, type DeliverInput } from './attempt.js'
import type { FirstOutcome } from './first-attempts.js'

/** How long it may hold the workflow task, in milliseconds; less than the local activity's own limit. */
const LIMIT_MS = 2_000
/** Up to so much longer, at random: where many hang at once, the server gets what follows not all at once. */
const LIMIT_SPREAD_MS = 1_000

/** How long it waits for the first answer of an endpoint, in milliseconds: until one that hangs is down. */
const FIRST_ANSWER_WITHIN_MS = SILENT_HANGS_AFTER_MS + 100

/** @param isTrial whether it is made of an endpoint that was slow or failing too */
export type DeliverFirst = (
  input: DeliverInput,
  signal: AbortSignal,
  isTrial?: boolean,
) => Promise<FirstOutcome>

/**
 * The first attempt of a delivery, as a local activity within the workflow task: for an endpoint that is up
 * it is all there is. It holds the workflow task, so an endpoint that has lately failed or been slow is left
 * to a round, as is all when `enabled` is not set. Where no attempt may be made, as the endpoint is down, the
 * delivery waits without a round. While an endpoint is silent, few attempts find out whether it answers, and the
 * others wait for that: each one that hangs would cost a round.
 */
export function createDeliverFirst(dependencies: AttemptDependencies, enabled: boolean): DeliverFirst {
  const { health } = dependencies
  return async (input, signal, isTrial = false) => {
    const endpoint = await dependencies.endpoints.get(input.endpoint)
    if (!enabled || !isExpress(endpoint, dependencies, input, isTrial)) return skipped(endpoint)
    const deadline = performance.now() + FIRST_ANSWER_WITHIN_MS
    for (;;) {
      const limitMs = LIMIT_MS + Math.round(LIMIT_SPREAD_MS * dependencies.random())
      const outcome = await makeAttempt(dependencies, input, NO_PROGRESS, { signal, limitMs })
      const isAtLimit = outcome.kind === 'retry' && outcome.attempts === 0
      if (!isAtLimit) return outcome
      const leftMs = deadline - performance.now()
      if (leftMs <= 0 || endpoint === undefined || !health.isSilent(endpoint)) return skipped(endpoint)
      await health.untilObserved(endpoint, leftMs)
    }
  }
}

/** Whether it is over at once, as far as this worker knows; a trial is to find that out. */
function isExpress(
  endpoint: StoredEndpoint | undefined,
  dependencies: AttemptDependencies,
  input: DeliverInput,
  isTrial: boolean,
): boolean {
  const { health } = dependencies
  if (endpoint === undefined || !isUsable(endpoint) || endpoint.state === 'paused') return true
  // Temporal's server paces activity tasks only.
  if (endpoint.maxAttemptsPerSecond !== undefined) return false
  if (health.isDown(endpoint)) {
    if (input.isWanted === true) return false
    return isProbed(endpoint, dependencies) || !health.goesToProbe(endpoint, timeOf(input))
  }
  return isTrial || health.isQuick(endpoint.name)
}

function skipped(endpoint: StoredEndpoint | undefined): Skipped {
  const isLimited =
    endpoint !== undefined && isUsable(endpoint) && endpoint.maxAttemptsPerSecond !== undefined
  return { kind: 'skipped', ...(isLimited && { maxAttemptsPerSecond: endpoint.maxAttemptsPerSecond }) }
}
