import {
  ActivityCancellationType,
  CancellationScope,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  sleep,
  TemporalFailure,
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
  type Skipped,
} from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { fairnessWeightOf } from '../domain/rate-limit.js'
import { DEFAULT_RETRY_POLICY } from '../domain/retry-schedule.js'
import type { ReleaseRequest } from './messages.js'

/** What a delivery is about. */
export interface AcceptedEvent {
  event: SyncEvent
  /** RFC 3339. */
  acceptedAt: string
}

const SKIPPED: Skipped = { kind: 'skipped' }

type Interrupted = RoundProgress & { kind: 'interrupted' }

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
  /** Why the step is cut short: for a new round, for none, or to continue as new; the last word of each counts. */
  #mustRetry = false
  #discardReason: string | undefined
  #mustSuspend = false
  #isSuspended = false
  /** Whether the next attempt is the first one since the start or a wait. */
  #isFirst: boolean
  /** Attempts since then that were not a round's. */
  #earlierAttempts = 0
  /** Of the round that is being interrupted. */
  #progress: RoundProgress = NO_PROGRESS
  /** What ended the last wait as `down`, for the attempts that follow it. */
  #wokenBy: DeliverInput['wokenBy']
  /** The endpoint's rate limit, where it is known to have one. */
  #perSecond: number | undefined
  /** Whether an operator wants the next attempt. */
  #isWanted = false
  /** Whether the search still finds it waiting although it makes its first attempt, which mostly ends it. */
  #resumesQuietly = false

  constructor(
    delivery: Delivery,
    private readonly accepted: AcceptedEvent,
    /** Told where what the search shows need not be brought up to date should the event end with this. */
    private readonly onChange: (isQuiet: boolean) => void,
    /** What came of the first attempt, where it was made already. */
    first?: FirstOutcome,
  ) {
    this.#delivery = delivery
    this.#isFirst = delivery.attempts === 0 && first === undefined
    if (first?.kind === 'skipped') this.#perSecond = first.maxAttemptsPerSecond
    else if (first !== undefined) this.#delivery = this.#after(first)
    // The one that a group has made.
    else if (delivery.attempts === 1 && delivery.nextRetryAt !== undefined) this.#earlierAttempts = 1
  }

  get delivery(): Delivery {
    return this.#delivery
  }

  /** As the search shows it. */
  get shown(): Delivery {
    return this.#resumesQuietly ? { ...this.#delivery, state: 'waiting' } : this.#delivery
  }

  /** Runs until the delivery has ended or was suspended. */
  async run(): Promise<void> {
    while (!hasEnded(this.#delivery)) {
      if (this.#delivery.state === 'waiting') await this.#wait()
      else await this.#attempt()

      const mustRetry = this.#mustRetry
      this.#mustRetry = false
      if (hasEnded(this.#delivery)) return
      if (this.#discardReason !== undefined)
        this.#set(discarded(this.#delivery, this.#discardReason, new Date()))
      else if (mustRetry) this.#set(attempting(this.#delivery))
      if (!this.#mustSuspend) continue
      this.#isSuspended = true
      // What goes on elsewhere begins with what the search shows.
      this.#resumesQuietly = false
      this.onChange(false)
      return
    }
  }

  /**
   * The endpoint is now of this version, or is back; a round that has seen the version already would come to the
   * same unless the endpoint was down.
   */
  async release({ version, recovered }: { version: string | undefined } & ReleaseRequest): Promise<void> {
    const { state, reason, endpointVersion: seen, notBefore } = this.#delivery
    if (state !== 'waiting') return
    const isAsked = notBefore !== undefined && Date.parse(notBefore) > Date.now()
    const isBack = recovered === true && reason === 'down' && !isAsked
    if (seen !== version || isBack) await this.#retry()
  }

  /** Begins a new round at once. */
  async retry(): Promise<void> {
    this.#isWanted = true
    await this.#retry()
  }

  /** Gives the delivery up, unless the attempt that is under way delivers it. */
  async discard(reason: string): Promise<void> {
    this.#discardReason = reason
    await this.#interrupt()
    if (this.#isSuspended && !hasEnded(this.#delivery))
      this.#set(discarded(this.#delivery, reason, new Date()))
  }

  /** Stops where it stands, so that the delivery can be carried into a new execution. */
  async suspend(): Promise<void> {
    this.#mustSuspend = true
    await this.#interrupt()
  }

  async #retry(): Promise<void> {
    this.#mustRetry = true
    await this.#interrupt()
    if (this.#isSuspended && !hasEnded(this.#delivery)) this.#set(attempting(this.#delivery))
  }

  /** The first attempt after the start or a wait is made at once; those that follow it are a round. */
  async #attempt(): Promise<void> {
    if (this.#delivery.nextRetryAt !== undefined) return this.#backOff()
    const input = this.#input()
    const first = this.#isFirst ? await this.#first(input) : SKIPPED
    this.#isFirst = false
    const isQuiet = this.#resumesQuietly
    this.#resumesQuietly = false
    if (isQuiet && first.kind === 'skipped') this.onChange(false)
    if (first.kind === 'skipped' && first !== SKIPPED) this.#perSecond = first.maxAttemptsPerSecond
    this.#set(this.#after(first.kind === 'skipped' ? await this.#round(input) : first), isQuiet)
  }

  #after(outcome: AttemptOutcome): Delivery {
    if (outcome.kind === 'retry') this.#earlierAttempts += outcome.attempts
    return afterRound(this.#delivery, outcome, new Date())
  }

  async #first(input: DeliverInput): Promise<FirstOutcome> {
    const { endpoint } = input
    try {
      return await this.#interruptible(() => deliverFirst.executeWithOptions({ summary: endpoint }, [input]))
    } catch (error) {
      return this.#withoutOutcome(error, { kind: 'retry', retryInMs: DEFAULT_RETRY_POLICY.initialIntervalMs })
    }
  }

  async #round(input: DeliverInput): Promise<RoundOutcome> {
    const { endpoint } = input
    const priority = { fairnessKey: endpoint, fairnessWeight: fairnessWeightOf(this.#perSecond) }
    try {
      return await this.#interruptible(() =>
        deliver.executeWithOptions({ activityId: endpoint, summary: endpoint, priority }, [input]),
      )
    } catch (error) {
      const { slowIntervalMs } = DEFAULT_RETRY_POLICY
      return this.#withoutOutcome(error, { kind: 'waiting', reason: 'down', retryInMs: slowIntervalMs })
    }
  }

  /** What follows from an activity that failed instead of returning its outcome. */
  #withoutOutcome<T extends object>(error: unknown, next: T): (T & RoundProgress) | Interrupted {
    if (isCancellation(error) && this.#isInterrupted) return { kind: 'interrupted', ...this.#progress }
    // The failure of a local activity comes as it is, and not within an `ActivityFailure`.
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error
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
    const isWanted = this.#isWanted
    this.#isWanted = false
    return {
      endpoint,
      ...this.accepted,
      at: Date.now(),
      earlierAttempts: this.#earlierAttempts,
      ...(this.#wokenBy !== undefined && { wokenBy: this.#wokenBy }),
      ...(isWanted && { isWanted: true }),
    }
  }

  async #backOff(): Promise<void> {
    const { endpoint, lastError } = this.#delivery
    await this.#sleepUntilRetry(`${endpoint} backs off: ${lastError}`)
  }

  async #wait(): Promise<void> {
    const { endpoint, reason, endpointVersion: seen } = this.#delivery
    const isDown = reason === 'down'
    // What older versions made wait as down has not seen the endpoint, and is in histories with its updates.
    this.#resumesQuietly = isDown && seen !== undefined
    // It may have been changed after the round and before this delivery could be seen to wait. Thousands wait
    // as down, for which a release looks again later.
    const isNew = async (): Promise<boolean> =>
      seen !== undefined && !isDown && (await endpointVersion(endpoint)) !== seen
    await this.#sleepUntilRetry(`${endpoint} waits: ${reason}`, isNew)
    this.#isFirst = true
    this.#earlierAttempts = 0
    this.#wokenBy = !isDown ? undefined : this.#mustRetry ? 'release' : 'timer'
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
      if (!isCancellation(error) || !this.#isInterrupted) throw error
    }
  }

  get #isInterrupted(): boolean {
    return this.#mustRetry || this.#mustSuspend || this.#discardReason !== undefined
  }

  async #interrupt(): Promise<void> {
    if (hasEnded(this.#delivery) || this.#isSuspended) return
    const step = this.#step
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

  #set(delivery: Delivery, isQuiet = false): void {
    this.#delivery = delivery
    if (hasEnded(delivery)) this.#resumesQuietly = false
    this.onChange(isQuiet)
  }
}
