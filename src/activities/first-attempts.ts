import { activityInfo } from '@temporalio/activity'
import type { AttemptOutcome, Skipped } from '../domain/delivery.js'
import { fitsOneWorkflow, splitIntoParts } from '../domain/fan-out.js'
import type { Logger } from '../logger.js'
import type { EndpointReader } from '../store/endpoint-cache.js'
import { attemptFirst, beginAttempts, createAttemptQueue } from './begin-attempts.js'
import type { DeliverInput } from './attempt.js'
import type { createDeliverFirst } from './deliver-first.js'

/** What the first attempts of an event are about. */
export interface FirstAttemptsInput extends Pick<DeliverInput, 'event' | 'acceptedAt'> {
  /** The registry's revision that the emitter knows of, so that an endpoint registered before gets the event. */
  registryRevision?: number | undefined
  /** The endpoints, where they are resolved already. @default those that are subscribed */
  endpoints?: readonly string[] | undefined
}

/** What came of a first attempt, or that none was made. */
export type FirstOutcome = AttemptOutcome | Skipped

/** A subscribed endpoint and what came of the first attempt to it; never a secret. */
export interface FirstAttempt {
  endpoint: string
  outcome: FirstOutcome
}

/** The first attempts of an event, or the parts into which it is split as it has too many endpoints for one workflow. */
export type FirstAttempts = FirstAttempt[] | { parts: string[][] }

interface FirstAttemptsDependencies {
  endpoints: EndpointReader
  logger: Logger
  /** Told when they begin, with the event's workflow. */
  onFirstAttempts?: (workflowId: string) => void
}

/**
 * Resolves the endpoints that are subscribed to an event at this moment, and makes the first attempt to each
 * of them, all at once: for an event whose endpoints are up this one local activity is all there is, in one
 * workflow task. While the store does not answer, it is tried again before any attempt was made.
 */
export function createFirstAttempts(
  { endpoints, logger, onFirstAttempts }: FirstAttemptsDependencies,
  deliverFirst: ReturnType<typeof createDeliverFirst>,
) {
  return async function firstAttempts({
    registryRevision,
    endpoints: resolved,
    ...accepted
  }: FirstAttemptsInput): Promise<FirstAttempts> {
    const workflowId = activityInfo().workflowExecution?.workflowId
    if (workflowId !== undefined) onFirstAttempts?.(workflowId)
    const names = resolved ?? (await endpoints.subscribers(accepted.event.type, registryRevision))
    const eventBytes = Buffer.byteLength(JSON.stringify(accepted.event))
    if (!fitsOneWorkflow(names, eventBytes)) return { parts: splitIntoParts(names, eventBytes) }

    const made = names.map((endpoint): FirstAttempt => ({ endpoint, outcome: { kind: 'skipped' } }))
    await beginAttempts(
      made.map((first) => async () => {
        first.outcome = await attemptFirst(deliverFirst, logger, { endpoint: first.endpoint, ...accepted })
        return first.outcome.kind === 'delivered'
      }),
      createAttemptQueue(),
    )
    return made
  }
}
