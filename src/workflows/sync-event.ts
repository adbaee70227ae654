import {
  ActivityFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
  ActivityCancellationType,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import { DEFAULT_ATTEMPT_LIMITS } from '../domain/attempt-limits.js'
import {
  afterRound,
  attempting,
  hasEnded,
  newDelivery,
  type Delivery,
  type RoundOutcome,
} from '../domain/delivery.js'
import { DEFAULT_RETRY_POLICY, jittered } from '../domain/retry-schedule.js'
import { describeDeliveries } from './current-details.js'
import {
  deliveriesQuery,
  MAX_PAGE_SIZE,
  pageOf,
  type SyncEventInput,
  type SyncEventResult,
} from './messages.js'

/** Servers that never suggest it still get a bounded history. */
const MAX_HISTORY_EVENTS = 8_000

const { resolveEndpoints } = proxyLocalActivities<Activities>({
  summary: 'resolve the subscribed endpoints',
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

const { deliver } = proxyActivities<Activities>({
  startToCloseTimeout: DEFAULT_ATTEMPT_LIMITS.totalTimeoutMs + 10_000,
  heartbeatTimeout: '15s',
  retry: {
    initialInterval: DEFAULT_RETRY_POLICY.initialIntervalMs,
    backoffCoefficient: DEFAULT_RETRY_POLICY.backoffCoefficient,
    maximumInterval: DEFAULT_RETRY_POLICY.maximumIntervalMs,
  },
  // An attempt that is under way when the workflow continues as new may be the one that succeeds.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
})

/**
 * Delivers one event to every endpoint that is subscribed when it starts, each on its own: a delivery is
 * attempted until it is delivered or discarded, however long that takes.
 */
export async function syncEvent({ event, deliveries: carried }: SyncEventInput): Promise<SyncEventResult> {
  let deliveries = carried ?? []
  setHandler(deliveriesQuery, ({ cursor, limit = MAX_PAGE_SIZE } = {}) => pageOf(deliveries, cursor, limit))

  if (carried === undefined) {
    deliveries = (await resolveEndpoints(event.type)).map(({ name }) => newDelivery(name))
  }
  setCurrentDetails(describeDeliveries(deliveries))

  const rounds = new CancellationScope()
  const running = deliveries.map((_, index) => rounds.run(() => runDelivery(index)))
  await Promise.race([Promise.all(running), condition(mustContinueAsNew)])

  if (!deliveries.every(hasEnded)) {
    rounds.cancel()
    await Promise.allSettled(running)
  }
  if (!deliveries.every(hasEnded)) await continueAsNew<typeof syncEvent>({ event, deliveries })
  return { deliveries }

  async function runDelivery(index: number): Promise<void> {
    for (;;) {
      const delivery = deliveries[index]
      if (delivery === undefined || hasEnded(delivery)) return
      if (delivery.state === 'waiting') await wait(delivery)
      update(index, attempting(delivery))
      const outcome = await runRound(delivery.endpoint)
      const slowIntervalMs = jittered(DEFAULT_RETRY_POLICY.slowIntervalMs, Math.random())
      update(index, afterRound(delivery, outcome, new Date(), slowIntervalMs))
    }
  }

  async function runRound(endpoint: string): Promise<RoundOutcome> {
    try {
      return await deliver.executeWithOptions({ activityId: endpoint, summary: endpoint }, [endpoint, event])
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
      log.error('a round failed instead of returning its outcome', { endpoint, error })
      return { kind: 'waiting', reason: 'down', attempts: 0, error: (error.cause ?? error).message }
    }
  }

  function update(index: number, delivery: Delivery): void {
    deliveries[index] = delivery
    setCurrentDetails(describeDeliveries(deliveries))
  }
}

async function wait({ endpoint, reason, nextRetryAt }: Delivery): Promise<void> {
  const remainingMs = nextRetryAt === undefined ? 0 : Date.parse(nextRetryAt) - Date.now()
  if (remainingMs > 0) await sleep(remainingMs, { summary: `${endpoint} waits: ${reason}` })
}

function mustContinueAsNew(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo()
  return continueAsNewSuggested || historyLength >= MAX_HISTORY_EVENTS
}
