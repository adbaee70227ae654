import type { Logger } from '../logger.js'
import type { DeliverInput } from './attempt.js'
import type { createDeliverFirst } from './deliver-first.js'
import type { FirstOutcome } from './first-attempts.js'

/** Attempts that are under way at the same time, of one event or to one endpoint. */
const CONCURRENCY = 20

/** The last of them begins within this time, in milliseconds: the others' outcomes wait for it. */
const BEGIN_WITHIN_MS = 1_000

/** Makes attempts a few at a time, in order; those to which it does not come in time are not made. */
export async function beginAttempts(attempts: readonly (() => Promise<void>)[]): Promise<void> {
  const beginsBefore = performance.now() + BEGIN_WITHIN_MS
  const queue = attempts.values()
  const makeNext = async (): Promise<void> => {
    for (const attempt of queue) {
      if (performance.now() > beginsBefore) return
      await attempt()
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, attempts.length) }, makeNext))
}

/** The first attempt of a delivery; one that has no outcome is left to a round, and delays no other. */
export async function attemptFirst(
  deliverFirst: ReturnType<typeof createDeliverFirst>,
  logger: Logger,
  input: Omit<DeliverInput, 'earlierAttempts'>,
): Promise<FirstOutcome> {
  try {
    return await deliverFirst({ ...input, earlierAttempts: 0 })
  } catch (error) {
    logger.error({ err: error, endpoint: input.endpoint }, 'a first attempt has no outcome')
    return { kind: 'skipped' }
  }
}
