import { cancellationSignal } from '@temporalio/activity'
import type { AttemptOutcome, Skipped } from '../domain/delivery.js'
import { fitsOneWorkflow, splitIntoParts } from '../domain/fan-out.js'
import type { Logger } from '../logger.js'
import type { EndpointReader } from '../store/endpoint-cache.js'
import { traceProcessing } from '../tracing/event-spans.js'
import { attemptFirst, beginAttempts, createAttemptQueue } from './begin-attempts.js'
import type { DeliverInput } from './attempt.js'
import type { DeliverFirst } from './deliver-first.js'
import type { DeliveredBefore } from './delivered-before.js'
import { currentExecution, type Execution } from './execution.js'
import type { HeadStarts } from './head-starts.js'

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
  deliveredBefore: DeliveredBefore
  /** Told when they begin, with the event's workflow. */
  onFirstAttempts?: (workflowId: string) => void
  /** What the emitter in this process has begun. */
  headStarts?: HeadStarts
}

/**
 * Resolves the endpoints that are subscribed to an event at this moment, and makes the first attempt to each
 * of them, all at once: for an event whose endpoints are up this one local activity is all there is, in one
 * workflow task. While the store does not answer, it is tried again before any attempt was made.
 */
export function createFirstAttempts(
  { endpoints, logger, deliveredBefore, onFirstAttempts, headStarts }: FirstAttemptsDependencies,
  deliverFirst: DeliverFirst,
) {
  headStarts?.makeBy((input, execution, emittedAt) =>
    makeAll(input, execution, new AbortController().signal, emittedAt),
  )

  return async function firstAttempts(input: FirstAttemptsInput): Promise<FirstAttempts> {
    const execution = currentExecution()
    onFirstAttempts?.(execution.workflowId)
    return headStarts?.take(execution) ?? makeAll(input, execution, cancellationSignal())
  }

  async function makeAll(
    { registryRevision, endpoints: resolved, ...accepted }: FirstAttemptsInput,
    execution: Execution,
    signal: AbortSignal,
    emittedAt?: number,
  ): Promise<FirstAttempts> {
    const since = { revision: registryRevision, asOf: emittedAt }
    const names = resolved ?? (await endpoints.subscribers(accepted.event.type, since))
    const eventBytes = Buffer.byteLength(JSON.stringify(accepted.event))
    if (!fitsOneWorkflow(names, eventBytes)) return { parts: splitIntoParts(names, eventBytes) }

    const { acceptedAt } = accepted
    const { event, end } = traceProcessing(accepted.event, execution, acceptedAt)
    const made = names.map((endpoint): FirstAttempt => ({ endpoint, outcome: { kind: 'skipped' } }))
    await beginAttempts(
      made.map((first) => async () => {
        const { endpoint } = first
        first.outcome = await deliveredBefore.or(execution, endpoint, () =>
          attemptFirst(deliverFirst, logger, { endpoint, event, acceptedAt }, signal),
        )
        return first.outcome.kind === 'delivered'
      }),
      createAttemptQueue(),
    )
    end()
    return made
  }
}
