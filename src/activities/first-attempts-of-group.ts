import { activityInfo, cancellationSignal } from '@temporalio/activity'
import { hashOf } from '../domain/data-hash.js'
import { afterRound, newDelivery, type Delivery } from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { fitsOneWorkflow } from '../domain/fan-out.js'
import { fitEvidence } from '../domain/fit-evidence.js'
import type { Logger } from '../logger.js'
import type { EndpointReader } from '../store/endpoint-cache.js'
import { isUsable } from '../store/endpoint-store.js'
import { traceProcessing } from '../tracing/event-spans.js'
import type { EndpointHealth } from '../delivery/endpoint-health.js'
import { concurrencyOf } from './admission.js'
import { createBusyMeter } from './busy-meter.js'
import {
  attemptFirst,
  beginAttempts,
  createAttemptQueue,
  fitQueue,
  type AttemptQueue,
} from './begin-attempts.js'
import type { DeliverFirst } from './deliver-first.js'
import type { FirstOutcome } from './first-attempts.js'

/** A group with more deliveries leaves what is over to workflows of their own. */
const MAX_DELIVERIES = 4_000
/** What the unfinished deliveries of a group may take in all, in characters of JSON. */
const MAX_CHARACTERS = 300_000

/** What the first attempts of a group of events are about. */
export interface GroupAttemptsInput {
  events: SyncEvent[]
  /** RFC 3339. */
  acceptedAt: string
  /** The registry's revision that the emitter knows of. */
  registryRevision?: number | undefined
}

/** What came of the first attempts of a group. */
export interface GroupAttempts {
  /** The endpoints of each type of which an event was delivered. */
  subscribers: Record<string, readonly string[]>
  /** For each event in order: the HTTP status of all its deliveries where each has succeeded, else what is open. */
  outcomes: GroupOutcome[]
}

/** What came of the first attempts of one event. */
export type GroupOutcome =
  /** The status of each delivery in the order of its subscribers; one for all where they are the same. */
  | { kind: 'delivered'; statuses: number[] }
  | {
      kind: 'unfinished'
      dataHash: string
      /** Where the deliveries stand; absent where no attempt was made. */
      deliveries?: Delivery[]
    }

/** A first attempt to be made; says whether it has delivered. A trial is made of an endpoint that was slow too. */
type GroupAttempt = (isTrial?: boolean) => Promise<boolean>

interface GroupDependencies {
  endpoints: EndpointReader
  health: Pick<EndpointHealth, 'isQuick'>
  logger: Logger
  /** Told when they begin, and where the process is busy when all have begun, with the group's workflow. */
  onFirstAttempts?: (workflowId: string) => void
}

/**
 * Resolves the endpoints of each event of a group and makes the first attempts, the endpoints beside each other
 * and each within a time of its own, so that none delays what is delivered to another.
 */
export function createFirstAttemptsOfGroup(
  { endpoints, health, logger, onFirstAttempts }: GroupDependencies,
  deliverFirst: DeliverFirst,
) {
  const queues = new Map<string, AttemptQueue>()
  const isProcessBusy = createBusyMeter()

  return async function firstAttemptsOfGroup({
    events,
    acceptedAt,
    registryRevision,
  }: GroupAttemptsInput): Promise<GroupAttempts> {
    const { workflowExecution: execution } = activityInfo()
    const subscribers = await resolve(events, registryRevision)
    const tellEmitter = (): void => {
      if (execution !== undefined) onFirstAttempts?.(execution.workflowId)
    }
    // An emitter in this process is not to outrun the worker; an endpoint that is slow does not hold it up.
    const isBusy = isProcessBusy()
    if (!isBusy) tellEmitter()
    const processing = events.map((event) => traceProcessing(event, { ...execution }, acceptedAt))
    const traced = processing.map(({ event }) => event)
    const outcomes = await attemptAll(traced, subscribers, acceptedAt, isBusy ? tellEmitter : undefined)
    for (const { end } of processing) end()
    const isDone = outcomes.map((made) => made?.every(isDelivered) === true)
    const open = isDone.filter((done) => !done).length
    const delivered = new Set(events.filter((_, index) => isDone[index]).map(({ type }) => type))
    return {
      // All of them might be more than a payload takes.
      subscribers: Object.fromEntries([...subscribers].filter(([type]) => delivered.has(type))),
      outcomes: outcomes.map((made, index) => {
        const { type, data } = events[index]!
        if (made !== undefined && isDone[index]) return { kind: 'delivered', statuses: statusesOf(made) }
        const dataHash = hashOf(data)
        if (made === undefined) return { kind: 'unfinished', dataHash }
        const deliveries = made.map((outcome, at) => toDelivery(subscribers.get(type)![at]!, outcome))
        return {
          kind: 'unfinished',
          dataHash,
          deliveries: fitEvidence(deliveries, Math.floor(MAX_CHARACTERS / open)),
        }
      }),
    }
  }

  async function resolve(
    events: readonly SyncEvent[],
    revision: number | undefined,
  ): Promise<Map<string, readonly string[]>> {
    const subscribers = new Map<string, readonly string[]>()
    for (const { type } of events) {
      if (!subscribers.has(type)) subscribers.set(type, await endpoints.subscribers(type, { revision }))
    }
    return subscribers
  }

  /** The outcomes of each event in the order of its subscribers; undefined for what is left to its own workflow. */
  async function attemptAll(
    events: readonly SyncEvent[],
    subscribers: ReadonlyMap<string, readonly string[]>,
    acceptedAt: string,
    onBegun?: () => void,
  ): Promise<(FirstOutcome[] | undefined)[]> {
    const signal = cancellationSignal()
    const attempts = new Map<string, GroupAttempt[]>()
    let deliveries = 0
    const outcomes = events.map((event) => {
      const names = subscribers.get(event.type)!
      const fits = fitsOneWorkflow(names, Buffer.byteLength(JSON.stringify(event)))
      if (!fits || deliveries + names.length > MAX_DELIVERIES) return undefined
      deliveries += names.length
      const made = names.map((): FirstOutcome => ({ kind: 'skipped' }))
      for (const [at, endpoint] of names.entries()) {
        const queue = attempts.get(endpoint) ?? []
        attempts.set(endpoint, queue)
        queue.push(async (isTrial) => {
          const input = { endpoint, event, acceptedAt }
          const outcome = await attemptFirst(deliverFirst, logger, input, signal, isTrial)
          made[at] = outcome
          return isDelivered(outcome)
        })
      }
      return made
    })
    let endpointsLeft = attempts.size
    const onEndpointBegun = (): void => {
      endpointsLeft -= 1
      if (endpointsLeft <= 0) onBegun?.()
    }
    if (endpointsLeft === 0) onBegun?.()
    await Promise.all(
      [...attempts].map(async ([endpoint, made]) =>
        attemptEach(endpoint, made, await queueOf(endpoint, attempts.size), onEndpointBegun),
      ),
    )
    return outcomes
  }

  /**
   * An endpoint that was slow or failing is tried with one event before the others: what a busy worker took for
   * slow would else leave each event of the group to a workflow of its own, and make the worker busier still.
   */
  async function attemptEach(
    endpoint: string,
    [first, ...others]: readonly GroupAttempt[],
    queue: AttemptQueue,
    onBegun: () => void,
  ): Promise<void> {
    if (first === undefined) return
    if (!health.isQuick(endpoint)) {
      onBegun()
      await first(true)
      return beginAttempts(others, queue)
    }
    return beginAttempts([first, ...others], queue, onBegun)
  }

  /** All groups share an endpoint's queue: each with its own, they would together pass the endpoint's limit. */
  async function queueOf(name: string, endpointCount: number): Promise<AttemptQueue> {
    const endpoint = await endpoints.get(name)
    const queue = queues.get(name) ?? createAttemptQueue()
    queues.set(name, queue)
    const isKnown = endpoint !== undefined && isUsable(endpoint)
    fitQueue(queue, endpointCount, isKnown ? concurrencyOf(endpoint) : undefined)
    return queue
  }
}

function isDelivered({ kind }: FirstOutcome): boolean {
  return kind === 'delivered'
}

function statusesOf(made: readonly FirstOutcome[]): number[] {
  const statuses = made.map(
    (outcome) => (outcome.kind === 'delivered' ? outcome.evidence.at(-1)?.status : 0) ?? 0,
  )
  return new Set(statuses).size === 1 ? statuses.slice(0, 1) : statuses
}

function toDelivery(endpoint: string, outcome: FirstOutcome): Delivery {
  const delivery = newDelivery(endpoint)
  return outcome.kind === 'skipped' ? delivery : afterRound(delivery, outcome, new Date())
}
