import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import { hasEnded, newDelivery, type Delivery } from '../domain/delivery.js'
import { fitEvidence } from '../domain/fit-evidence.js'
import { mustContinueAsNew } from './continue-as-new.js'
import { describeDeliveries } from './current-details.js'
import { EventParts } from './event-parts.js'
import { DeliveryRun } from './delivery-run.js'
import {
  DELIVERY_IN_PART,
  deliveriesQuery,
  discardDeliveryUpdate,
  MAX_PAGE_SIZE,
  pageOf,
  partAttemptedSignal,
  releaseSignal,
  retryDeliveryUpdate,
  type SyncEventInput,
  type SyncEventResult,
} from './messages.js'
import { waitingAttributes } from './waiting-attributes.js'

/** What the results of its parts take in the history of an event, each, in characters of JSON. */
const MAX_PART_CHARACTERS = 40_000

const { firstAttempts } = proxyLocalActivities<Activities>({
  summary: 'resolve the subscribed endpoints and attempt each',
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

const { resolveEndpoints } = proxyLocalActivities<Activities>({
  summary: 'resolve the subscribed endpoints',
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/**
 * Delivers one event to every endpoint that is subscribed when it starts, each on its own: a delivery is
 * attempted until it is delivered or discarded, however long that takes.
 */
export async function syncEvent({
  event,
  registryRevision,
  firstAttempts: made,
  acceptedAt = workflowInfo().startTime.toISOString(),
  endpoints,
  tellsParent = false,
  deliveries: carried,
}: SyncEventInput): Promise<SyncEventResult> {
  let runs: DeliveryRun[] | undefined
  let split: EventParts | undefined
  let published = waitingAttributes(carried ?? [])
  const deliveries = (): Delivery[] =>
    runs?.map(({ delivery }) => delivery) ?? endpoints?.map(newDelivery) ?? []

  setHandler(deliveriesQuery, ({ cursor, limit = MAX_PAGE_SIZE } = {}) =>
    split === undefined ? pageOf(deliveries(), cursor, limit) : { deliveries: [], parts: split.parts },
  )
  setHandler(releaseSignal, ({ endpoint, ...release }) => find(endpoint)?.release(release))
  setHandler(
    retryDeliveryUpdate,
    async ({ endpoint }) => {
      const run = await resolved(endpoint)
      await run.retry()
      return run.delivery
    },
    { validator: ({ endpoint }) => refuseUnlessOpen(endpoint) },
  )
  setHandler(
    discardDeliveryUpdate,
    async ({ endpoint, reason }) => {
      const run = await resolved(endpoint)
      await run.discard(reason)
      await condition(() => hasEnded(run.delivery))
      return run.delivery
    },
    { validator: ({ endpoint }) => refuseUnlessOpen(endpoint) },
  )

  // Each promise of workflow code costs about as much as a request: where all is done, none is made.
  const accepted = { event, acceptedAt }
  if (carried !== undefined) {
    runs = carried.map((delivery) => new DeliveryRun(delivery, accepted, publish))
  } else if (made === 'together') {
    const attempts = await firstAttempts({ ...accepted, registryRevision, endpoints })
    if ('parts' in attempts) {
      split = new EventParts(attempts.parts)
      return split.run(event, acceptedAt)
    }
    runs = attempts.map(
      ({ endpoint, outcome }) => new DeliveryRun(newDelivery(endpoint), accepted, publish, outcome),
    )
  } else {
    const resolvedEndpoints = await resolveEndpoints(event.type, registryRevision)
    runs = resolvedEndpoints.map(({ name }) => new DeliveryRun(newDelivery(name), accepted, publish))
  }
  publish()

  const openRuns = runs.filter(({ delivery }) => !hasEnded(delivery))
  if (openRuns.length > 0) {
    if (tellsParent) void tellParent()
    await runAll(openRuns)
  }
  if (!allHandlersFinished()) await condition(allHandlersFinished)
  const isPart = endpoints !== undefined
  const kept = fitEvidence(deliveries(), isPart ? MAX_PART_CHARACTERS : undefined)
  if (kept.every(hasEnded)) return { deliveries: kept }
  return continueAsNew<typeof syncEvent>({
    event,
    acceptedAt,
    deliveries: kept,
    ...(isPart && { endpoints }),
  })

  /** Until all have ended, or the history is so long that they must be carried into a new execution. */
  async function runAll(open: readonly DeliveryRun[]): Promise<void> {
    const running = Promise.all(open.map((run) => run.run()))
    await Promise.race([running, condition(mustContinueAsNew)])
    if (deliveries().every(hasEnded)) return
    await Promise.all(open.map((run) => run.suspend()))
    await running
  }

  /** Shows in the Temporal UI and its search what changed; a delivery that never waited costs no upsert. */
  function publish(isQuiet = false): void {
    const current = deliveries()
    setCurrentDetails(describeDeliveries(current))
    // A search for what waits does not find an event that has ended.
    if (isQuiet && current.every(hasEnded)) return
    const attributes = waitingAttributes(runs?.map(({ shown }) => shown) ?? [])
    if (attributes.fingerprint === published.fingerprint) return
    published = attributes
    upsertSearchAttributes(attributes.updates)
  }

  function find(endpoint: string): DeliveryRun | undefined {
    return runs?.find(({ delivery }) => delivery.endpoint === endpoint)
  }

  /** A message may arrive before the endpoints are resolved. */
  async function resolved(endpoint: string): Promise<DeliveryRun> {
    await condition(() => runs !== undefined || split !== undefined)
    return runOf(endpoint)
  }

  function runOf(endpoint: string): DeliveryRun {
    const part = split?.partOf(endpoint)
    if (part !== undefined)
      throw ApplicationFailure.nonRetryable(`${part} has the delivery`, DELIVERY_IN_PART, part)
    const run = find(endpoint)
    if (run === undefined) throw refusal(endpoint, 'is not among the endpoints of this event')
    return run
  }

  function refuseUnlessOpen(endpoint: string): void {
    if (runs === undefined && split === undefined) return
    const { delivery } = runOf(endpoint)
    if (hasEnded(delivery)) throw refusal(endpoint, `is ${delivery.state} already`)
  }
}

/** It may have ended, as an operator wanted; then it need not know. */
async function tellParent(): Promise<void> {
  const { parent, workflowId } = workflowInfo()
  if (parent === undefined) return
  await getExternalWorkflowHandle(parent.workflowId)
    .signal(partAttemptedSignal, workflowId)
    .catch(() => undefined)
}

function refusal(endpoint: string, why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`the delivery to ${endpoint} ${why}`, 'DeliveryNotOpen')
}
