import { CancelledFailure } from '@temporalio/common'
import { classify } from '../delivery/classify.js'
import type { ConcurrencyLimiter } from '../delivery/concurrency-limiter.js'
import type { EndpointHealth } from '../delivery/endpoint-health.js'
import type { RateLimiter } from '../delivery/rate-limiter.js'
import type { RetryLine } from '../delivery/retry-line.js'
import type { AttemptResult, Sender } from '../delivery/send.js'
import {
  MAX_EVIDENCE,
  type AttemptEvidence,
  type AttemptOutcome,
  type RoundPace,
  type RoundProgress,
  type WaitingReason,
} from '../domain/delivery.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { SyncEvent } from '../domain/event.js'
import {
  backoffMs,
  DEFAULT_RETRY_POLICY,
  retryAfterMs,
  ROUND_LIMIT_MS,
  type RetryPolicy,
} from '../domain/retry-schedule.js'
import type { Logger } from '../logger.js'
import { SyncError } from '../domain/errors.js'
import type { EndpointReader } from '../store/endpoint-cache.js'
import { isUsable, type StoredEndpoint } from '../store/endpoint-store.js'
import { admit, isProbed } from './admission.js'
import { createWaits, type Waits } from './waits.js'

/** What an attempt is about. */
export interface DeliverInput {
  endpoint: string
  event: SyncEvent
  /** RFC 3339; from here an endpoint's expiry counts. */
  acceptedAt: string
  /** When it was wanted by the server's clock, in milliseconds since the epoch. */
  at?: number
  /** Attempts since the delivery was last waiting that are not the round's own; the backoff counts them. */
  earlierAttempts: number
  /** What ended the delivery's wait as `down`, where that is what it did last. */
  wokenBy?: 'timer' | 'release'
  /** Whether an operator wants the first attempt now, whatever this worker knows of the endpoint. */
  isWanted?: true
}

/** An attempt that was made, for those who count them. */
export interface ObservedAttempt extends Pick<AttemptEvidence, 'durationMs' | 'status' | 'error'> {
  endpoint: string
  event: Pick<SyncEvent, 'type' | 'id' | 'key'>
  outcome: 'delivered' | 'retry' | WaitingReason
  /** Whether the endpoint counts as down, with this attempt. */
  isDown: boolean
  /** In milliseconds since the epoch. */
  startedAt: number
}

/** How long an attempt may take. */
export interface AttemptTime {
  signal: AbortSignal
  /** Less than what the endpoint gives it, in milliseconds. */
  limitMs?: number
}

/** What is needed to make attempts; shared by all activities of a worker. */
export interface AttemptDependencies {
  endpoints: EndpointReader
  sender: Sender
  limiter: ConcurrencyLimiter
  rates: RateLimiter
  health: EndpointHealth
  line: RetryLine
  logger: Logger
  /** A number in [0, 1), for jitter. */
  random: () => number
  /** Told when an endpoint is back that was down: what waits for it should go on. */
  onRecovery: (endpoint: Endpoint) => void
  /** Told of each attempt that was made. */
  onAttempt?: ((attempt: ObservedAttempt) => void) | undefined
}

/**
 * Makes one attempt and says what follows; one that `signal` cancels is `interrupted`.
 * What is known of the endpoint may be a little old: before that makes a delivery wait or end, it is read anew,
 * and where it is another, the attempt is made again. What is not in the store is given up only where the store
 * says that it was removed: a store that has never had it is another one, or an old copy.
 * @throws {SyncError} `STORE_UNAVAILABLE`, `ENDPOINT_NOT_FOUND` or `ENCRYPTION_KEY_MISSING`, which another try or
 * worker may cure
 */
export async function makeAttempt(
  dependencies: AttemptDependencies,
  input: DeliverInput,
  before: RoundProgress,
  time: AttemptTime,
): Promise<AttemptOutcome> {
  const { endpoints } = dependencies
  const known = await endpoints.get(input.endpoint)
  const outcome = await attemptAt(known, dependencies, input, before, time)
  if (outcome.kind !== 'waiting' && outcome.kind !== 'discarded') return outcome
  const latest = await endpoints.getLatest(input.endpoint)
  if (latest === undefined && !(await endpoints.wasRemoved(input.endpoint))) throw notInStore(input.endpoint)
  if (latest?.version === known?.version) return outcome
  return attemptAt(latest, dependencies, input, outcome, time)
}

function notInStore(name: string): SyncError {
  return new SyncError(
    'ENDPOINT_NOT_FOUND',
    `the endpoint store of this worker has never had ${name}, for which an event was accepted: is it another store, ` +
      'or an old copy? The delivery is kept, and tried again; registering the endpoint, or removing it then, ends that',
  )
}

/** The time: the server's, where that is ahead, as it skips time in tests. */
export function timeOf({ at = 0, acceptedAt }: Pick<DeliverInput, 'at' | 'acceptedAt'>): number {
  return Math.max(Date.now(), at, Date.parse(acceptedAt))
}

async function attemptAt(
  endpoint: StoredEndpoint | undefined,
  dependencies: AttemptDependencies,
  input: DeliverInput,
  progress: RoundProgress,
  time: AttemptTime,
): Promise<AttemptOutcome> {
  const { endpoint: name, acceptedAt } = input
  const { attempts, evidence, pace } = progress
  const now = timeOf(input)
  const before: RoundProgress = { attempts, evidence }
  if (endpoint === undefined) return { kind: 'discarded', reason: 'the endpoint was removed', ...before }
  if (!isUsable(endpoint)) {
    if (endpoint.missingKey !== undefined)
      throw new SyncError('ENCRYPTION_KEY_MISSING', `${name}: ${endpoint.problem}`)
    const problem = { at: new Date().toISOString(), durationMs: 0, error: endpoint.problem }
    const waits = createWaits(dependencies, endpoint, DEFAULT_RETRY_POLICY, { acceptedAt, now })
    return waits.inLine('misconfigured', { ...before, evidence: [...evidence, problem] })
  }
  const policy = { ...DEFAULT_RETRY_POLICY, ...endpoint.retry }
  const waits = createWaits(dependencies, endpoint, policy, { acceptedAt, now })
  if (waits.remainingMs() <= 0) return { kind: 'discarded', reason: 'expired', ...before }
  if (endpoint.state === 'paused') return waits.alone('paused', before)

  const admission = admit(endpoint, policy, dependencies, { ...input, ...time }, progress, now)
  if (admission.kind === 'down') return waits.inLine('down', before)
  if (admission.kind === 'later') {
    return { kind: 'retry', retryInMs: admission.inMs, ...before, pace: admission.pace }
  }
  const sent = await send(endpoint, dependencies, input, time, admission.release)
  if (sent === 'interrupted') return { kind: 'interrupted', ...before }
  return follow(dependencies, { endpoint, policy, input, before, pace, waits, now }, sent)
}

interface Sent {
  result: AttemptResult
  startedAt: number
  durationMs: number
}

async function send(
  endpoint: Endpoint,
  { sender }: AttemptDependencies,
  { event }: DeliverInput,
  { signal, limitMs }: AttemptTime,
  release: () => void,
): Promise<Sent | 'interrupted'> {
  const startedAt = Date.now()
  const sent = (result: AttemptResult): Sent => ({ result, startedAt, durationMs: Date.now() - startedAt })
  try {
    return sent(await sender.send(endpoint, event, signal, limitMs))
  } catch (error) {
    if (error instanceof CancelledFailure && error.message === 'CANCELLED') return 'interrupted'
    throw error
  } finally {
    release()
  }
}

interface AttemptContext {
  endpoint: Endpoint
  policy: RetryPolicy
  input: DeliverInput
  before: RoundProgress
  pace: RoundPace | undefined
  waits: Waits
  /** When the attempt began. */
  now: number
}

/** What follows from an attempt that was made. */
function follow(
  dependencies: AttemptDependencies,
  { endpoint, policy, input, before, pace, waits, now }: AttemptContext,
  { result, startedAt, durationMs }: Sent,
): AttemptOutcome {
  const { health, line, logger, random, onRecovery, onAttempt } = dependencies
  const { event, earlierAttempts, wokenBy } = input
  const evidence = { at: new Date(startedAt).toISOString(), durationMs, ...shown(result) }
  const progress: RoundProgress = {
    attempts: before.attempts + 1,
    evidence: [...before.evidence, evidence].slice(-MAX_EVIDENCE),
  }
  const attempt = earlierAttempts + progress.attempts
  const verdict = classify(result)
  const isRecovery = health.observe(endpoint, {
    verdict,
    isAnswered: result.kind === 'response',
    startedAt: now,
    durationMs,
    hasWaited: wokenBy !== undefined,
  })
  const outcome = verdict.kind === 'wait' ? verdict.reason : verdict.kind
  logger.info(
    { endpoint: endpoint.name, eventType: event.type, eventId: event.id, attempt, outcome, ...evidence },
    'attempt',
  )
  onAttempt?.({
    ...evidence,
    endpoint: endpoint.name,
    event,
    outcome,
    isDown: health.isDown(endpoint),
    startedAt,
  })
  if (isRecovery) {
    line.clear(endpoint.name, 'down')
    onRecovery(endpoint)
  }
  if (verdict.kind === 'delivered') {
    line.clear(endpoint.name, 'misconfigured')
    return { kind: 'delivered', ...progress }
  }
  if (verdict.kind === 'wait') return waits.inLine(verdict.reason, progress)

  const asked = result.kind === 'response' ? retryAfterMs(result.retryAfter, new Date()) : undefined
  const retryInMs = asked ?? backoffMs(policy, attempt, random())
  const roundStartedAt = pace?.startedAt ?? now
  const isOver = now + durationMs + retryInMs > roundStartedAt + ROUND_LIMIT_MS
  if (isOver && asked !== undefined) return waits.asAsked(asked, progress)
  // It has had its round, and was only to find out whether the endpoint is back.
  const isProbe = wokenBy !== undefined && (health.isDown(endpoint) || (wokenBy === 'timer' && attempt === 1))
  // Others go on looking for its recovery; a round of each would cost the server dearly.
  const isOneOfMany = health.isDown(endpoint) && isProbed(endpoint, dependencies)
  if (isOver || ((isProbe || isOneOfMany) && asked === undefined)) return waits.inLine('down', progress)
  return { kind: 'retry', retryInMs, ...progress, pace: { startedAt: roundStartedAt } }
}

function shown(result: AttemptResult): Partial<AttemptEvidence> {
  if (result.kind === 'failure') return { error: `${result.code}: ${result.message}` }
  const { status, excerpt } = result
  if (status >= 200 && status < 300) return { status }
  return { status, error: `HTTP ${status}`, ...(excerpt !== undefined && { excerpt }) }
}
