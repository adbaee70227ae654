import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  sleep,
} from '@temporalio/workflow'
import type { DeliverInput } from '../activities/attempt.js'
import type { FirstOutcome } from '../activities/first-attempts.js'
import type { Activities } from '../activities/index.js'
import { MAX_ATTEMPT_TIMEOUT_MS } from '../domain/attempt-limits.js'
import {
  afterRound,
  attempting,
  discarded,
  hasEnded,
  NO_PROGRESS,
  type AttemptOutcome,
  type Delivery,
  type RoundOutcome,
  type RoundProgress,
} from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { DEFAULT_RETRY_POLICY } from '../domain/retry-schedule.js'

/** What a delivery is about. */
export interface AcceptedEvent {
  event: SyncEvent
  /** RFC 3339. */
  acceptedAt: string
}

const SKIPPED = { kind: 'skipped' } as const

type Interrupted = RoundProgress & { kind: 'interrupted' }

/** Why a step is cut short: for a new round, for none, or to continue as new. */
type Interruption = 'retry' | 'discard' | 'suspend'

const { deliver } = proxyActivities<Activities>({
  // Each endpoint has a limit of its own, which the activity keeps.
  startToCloseTimeout: MAX_ATTEMPT_TIMEOUT_MS + 10_000,
  heartbeatTimeout: '15s',
  // Waits that the activity asks for go before these (`nextRetryDelay`).
  retry: {
    initialInterval: DEFAULT_RETRY_POLICY.initialIntervalMs,
    backoffCoefficient: DEFAULT_RETRY_POLICY.backoffCoefficient,
    maximumInterval: DEFAULT_RETRY_POLICY.maximumIntervalMs,
  },
  // An attempt that is under way may be the one that succeeds.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
})

// Not a local activity: its answer must be newer than the search attributes that are set with it.
const { endpointVersion } = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

const { deliverFirst } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5s',
  retry: { maximumAttempts: 1 },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
})

const { inspectRound } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { maximumAttempts: 3 },
})

/**
 * One delivery as a state machine: attempting until its round has ended, waiting until its timer, a release
 * or an operator, and so on until it is delivered or discarded.
 */
export class DeliveryRun {
  #delivery: Delivery
  #step: CancellationScope | undefined
  #interruption: Interruption | undefined
  #discardReason = ''
  /** Whether the next attempt is the first one since the start or a wait. */
  #isFirst: boolean
  /** Attempts since then that were not a round's. */
  #earlierAttempts = 0
  /** Of the round that is being interrupted. */
  #progress: RoundProgress = NO_PROGRESS

  constructor(
    delivery: Delivery,
    private readonly accepted: AcceptedEvent,
    private readonly onChange: () => void,
    /** What came of the first attempt, where it was made already. */
    first?: FirstOutcome,
  ) {
    this.#delivery = delivery
    this.#isFirst = delivery.attempts === 0 && first === undefined
    // The one that a group has made.
    if (delivery.attempts === 1 && delivery.nextRetryAt !== undefined) this.#earlierAttempts = 1
    if (first !== undefined && first.kind !== 'skipped') this.#delivery = this.#after(first)
  }

  get delivery(): Delivery {
    return this.#delivery
  }

  /** Runs until the delivery has ended or was suspended. */
  async run(): Promise<void> {
    while (!hasEnded(this.#delivery)) {
      if (this.#delivery.state === 'waiting') await this.#wait()
      else await this.#attempt()

      const interruption = this.#interruption
      if (interruption === 'suspend') return
      this.#interruption = undefined
      if (hasEnded(this.#delivery) || interruption === undefined) continue
      if (interruption === 'discard') this.#set(discarded(this.#delivery, this.#discardReason, new Date()))
      else this.#set(attempting(this.#delivery))
    }
  }

  /** The endpoint is now of this version; a round that has seen it already would come to the same. */
  async release(version: string | undefined): Promise<void> {
    const { state, endpointVersion: seen } = this.#delivery
    if (state === 'waiting' && seen !== version) await this.#interrupt('retry')
  }

  /** Begins a new round at once. */
  async retry(): Promise<void> {
    await this.#interrupt('retry')
  }

  /** Gives the delivery up, unless the attempt that is under way delivers it. */
  async discard(reason: string): Promise<void> {
    this.#discardReason = reason
    await this.#interrupt('discard')
  }

  /** Stops where it stands, so that the delivery can be carried into a new execution. */
  async suspend(): Promise<void> {
    await this.#interrupt('suspend')
  }

  /** The first attempt after the start or a wait is made at once; those that follow it are a round. */
  async #attempt(): Promise<void> {
    if (this.#delivery.nextRetryAt !== undefined) return this.#backOff()
    const first = this.#isFirst ? await this.#first() : SKIPPED
    this.#isFirst = false
    this.#set(this.#after(first.kind === 'skipped' ? await this.#round() : first))
  }

  #after(outcome: AttemptOutcome): Delivery {
    if (outcome.kind === 'retry') this.#earlierAttempts += outcome.attempts
    return afterRound(this.#delivery, outcome, new Date())
  }

  async #first(): Promise<FirstOutcome> {
    const { endpoint } = this.#delivery
    try {
      return await this.#interruptible(() =>
        deliverFirst.executeWithOptions({ summary: endpoint }, [this.#input()]),
      )
    } catch (error) {
      return this.#withoutOutcome(error, { kind: 'retry', retryInMs: DEFAULT_RETRY_POLICY.initialIntervalMs })
    }
  }

  async #round(): Promise<RoundOutcome> {
    const { endpoint } = this.#delivery
    try {
      return await this.#interruptible(() =>
        deliver.executeWithOptions({ activityId: endpoint, summary: endpoint }, [this.#input()]),
      )
    } catch (error) {
      const { slowIntervalMs } = DEFAULT_RETRY_POLICY
      return this.#withoutOutcome(error, { kind: 'waiting', reason: 'down', retryInMs: slowIntervalMs })
    }
  }

  /** What follows from an activity that failed instead of returning its outcome. */
  #withoutOutcome<T extends object>(error: unknown, next: T): (T & RoundProgress) | Interrupted {
    if (isCancellation(error) && this.#interruption !== undefined)
      return { kind: 'interrupted', ...this.#progress }
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error
    const { message } = error.cause ?? error
    log.error('an attempt has no outcome', { endpoint: this.#delivery.endpoint, error })
    return {
      ...next,
      attempts: 0,
      evidence: [{ at: new Date().toISOString(), durationMs: 0, error: message }],
    }
  }

  #input(): DeliverInput {
    const { endpoint } = this.#delivery
    return { endpoint, ...this.accepted, earlierAttempts: this.#earlierAttempts }
  }

  async #backOff(): Promise<void> {
    const { endpoint, lastError } = this.#delivery
    await this.#sleepUntilRetry(`${endpoint} backs off: ${lastError}`)
  }

  async #wait(): Promise<void> {
    const { endpoint, reason, endpointVersion: seen } = this.#delivery
    // It may have been changed after the round and before this delivery could be seen to wait.
    const isNew = async (): Promise<boolean> =>
      seen !== undefined && (await endpointVersion(endpoint)) !== seen
    await this.#sleepUntilRetry(`${endpoint} waits: ${reason}`, isNew)
    this.#isFirst = true
    this.#earlierAttempts = 0
  }

  /** Sleeps until the delivery's next retry, or not at all where `skip` says so. */
  async #sleepUntilRetry(
    summary: string,
    skip: () => Promise<boolean> = () => Promise.resolve(false),
  ): Promise<void> {
    const { nextRetryAt } = this.#delivery
    try {
      await this.#interruptible(async () => {
        if (await skip()) return
        const remainingMs = nextRetryAt === undefined ? 0 : Date.parse(nextRetryAt) - Date.now()
        if (remainingMs > 0) await sleep(remainingMs, { summary })
      })
      this.#set(attempting(this.#delivery))
    } catch (error) {
      if (!isCancellation(error) || this.#interruption === undefined) throw error
    }
  }

  async #interrupt(interruption: Interruption): Promise<void> {
    if (hasEnded(this.#delivery)) return
    const step = this.#step
    this.#interruption = interruption
    if (this.#delivery.state === 'attempting') {
      // Temporal forgets the attempts of a round that is cancelled between two of them.
      this.#progress = await inspectRound(this.#delivery.endpoint).catch(() => NO_PROGRESS)
    }
    step?.cancel()
  }

  #interruptible<T>(work: () => Promise<T>): Promise<T> {
    this.#step = new CancellationScope()
    return this.#step.run(work)
  }

  #set(delivery: Delivery): void {
    this.#delivery = delivery
    this.onChange()
  }
}
