/** The most that an endpoint may be limited to, in attempts in a second. */
export const MAX_ATTEMPTS_PER_SECOND = 1_000

/** Temporal takes no smaller weight of a fairness key. */
const MIN_WEIGHT = 0.001

/**
 * How an endpoint's rate limit is said to Temporal, which paces each fairness key at its weight times the task
 * queue's default, of `MAX_ATTEMPTS_PER_SECOND`. A limit below one in a second is for the workers to keep.
 */
export function fairnessWeightOf(maxAttemptsPerSecond: number | undefined): number {
  return Math.max((maxAttemptsPerSecond ?? MAX_ATTEMPTS_PER_SECOND) / MAX_ATTEMPTS_PER_SECOND, MIN_WEIGHT)
}
