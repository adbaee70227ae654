import { cancellationSignal } from '@temporalio/activity'
import type { Client } from '@temporalio/client'
import type { Sender } from '../delivery/send.js'
import type { Logger } from '../logger.js'
import type { EndpointReader } from '../store/endpoint-cache.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { createConcurrencyLimiter } from '../delivery/concurrency-limiter.js'
import { createEndpointHealth } from '../delivery/endpoint-health.js'
import { createRateLimiter } from '../delivery/rate-limiter.js'
import { createRetryLine } from '../delivery/retry-line.js'
import type { DeliverInput, ObservedAttempt } from './attempt.js'
import { createDeliver } from './deliver.js'
import { createDeliverFirst } from './deliver-first.js'
import { DeliveredBefore } from './delivered-before.js'
import { createEndpointVersion } from './endpoint-version.js'
import { currentExecution } from './execution.js'
import { createFirstAttempts } from './first-attempts.js'
import { createFirstAttemptsOfGroup } from './first-attempts-of-group.js'
import type { HeadStarts } from './head-starts.js'
import { createInspectRound } from './inspect-round.js'
import { createRecovery } from './recovery.js'
import {
  createCancelGoingOn,
  createCountDiscarded,
  createCountGoingOn,
  createCountPastEvents,
} from './replay-counts.js'
import type { ReadDelivery } from './replay-sender.js'
import { createReplaySlice } from './replay-slice.js'
import { createReleaseWaiting } from './release-waiting.js'
import { createResolveEndpoints } from './resolve-endpoints.js'

/** What the activities need; composed where the worker is. */
export interface ActivityDependencies {
  client: Client
  /** Of the worker. */
  taskQueue: string
  store: EndpointStore
  /** What attempts know of the store. */
  endpoints: EndpointReader
  sender: Sender
  logger: Logger
  /** Where an event's own delivery to an endpoint stands, by which replays choose. */
  readDelivery: ReadDelivery
  /** Whether first attempts are made within the workflow task, which is faster. @default true */
  expressAttempts?: boolean
  /** Told when the first attempts of an event begin, with its workflow. */
  onFirstAttempts?: (workflowId: string) => void
  /** What an emitter in this process begins before the worker gets to it. */
  headStarts?: HeadStarts
  /** Told of each attempt that was made. */
  onAttempt?: (attempt: ObservedAttempt) => void
  /** A number in [0, 1), for jitter. @default Math.random */
  random?: () => number
}

export type Activities = ReturnType<typeof createActivities>

/** The activities of this project's workflows; workflow code imports this module's types only. */
export function createActivities(dependencies: ActivityDependencies) {
  const { expressAttempts = true, random = Math.random, ...parts } = dependencies
  const health = createEndpointHealth()
  const attempts = {
    ...parts,
    limiter: createConcurrencyLimiter(),
    rates: createRateLimiter(),
    health,
    line: createRetryLine(),
    random,
    onRecovery: createRecovery({ ...parts, health }),
  }
  const deliverFirst = createDeliverFirst(attempts, expressAttempts)
  const deliveredBefore = new DeliveredBefore()
  return {
    firstAttempts: createFirstAttempts({ ...dependencies, deliveredBefore }, deliverFirst),
    firstAttemptsOfGroup: createFirstAttemptsOfGroup(attempts, deliverFirst),
    resolveEndpoints: createResolveEndpoints(dependencies),
    deliverFirst: (input: DeliverInput) =>
      deliveredBefore.or(currentExecution(), input.endpoint, () => deliverFirst(input, cancellationSignal())),
    deliver: createDeliver(attempts),
    endpointVersion: createEndpointVersion(dependencies),
    inspectRound: createInspectRound(dependencies),
    releaseWaiting: createReleaseWaiting(dependencies),
    replaySlice: createReplaySlice({ ...attempts, expressAttempts }),
    countPastEvents: createCountPastEvents(dependencies),
    countGoingOn: createCountGoingOn(dependencies),
    cancelGoingOn: createCancelGoingOn(dependencies),
    countDiscarded: createCountDiscarded(dependencies),
  }
}
