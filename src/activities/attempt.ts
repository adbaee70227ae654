import { CancelledFailure } from '@temporalio/common'
import { classify } from '../delivery/classify.js'
import type { ConcurrencyLimiter } from '../delivery/concurrency-limiter.js'
import type { EndpointHealth } from '../delivery/endpoint-health.js'
import type { AttemptResult, Sender } from '../delivery/send.js'
import {
  MAX_EVIDENCE,
  type AttemptEvidence,
  type AttemptOutcome,
  type RoundProgress,
  type WaitingReason,
} from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import {
  backoffMs,
  DEFAULT_RETRY_POLICY,
  jittered,
  retryAfterMs,
  type RetryPolicy,
} from '../domain/retry-schedule.js'
import type { Logger } from '../logger.js'
import { SyncError } from '../domain/errors.js'
import type { EndpointReader } from '../store/endpoint-cache.js'
import { isUsable, type StoredEndpoint } from '../store/endpoint-store.js'

/** An endpoint at its limit of concurrent attempts is tried again after this, and up to as much longer. */
const LIMIT_RETRY_MS = 1_000

/** The workflow's clock may be a little behind: a delivery that wakes up before its expiry is attempted again. */
const EXPIRY_SLACK_MS = 1_000

/** What an attempt is about. */
export interface DeliverInput {
  endpoint: string
  event: SyncEvent
  /** RFC 3339; from here an endpoint's expiry counts. */
  acceptedAt: string
  /** Attempts since the delivery was last waiting that are not the round's own; the backoff counts them. */
  earlierAttempts: number
}

/** What is needed to make attempts; shared by all activities of a worker. */
export interface AttemptDependencies {
  endpoints: EndpointReader
  sender: Sender
  limiter: ConcurrencyLimiter
  health: EndpointHealth
  logger: Logger
  /** A number in [0, 1), for jitter. */
  random: () => number
}

/**
 * Makes one attempt and says what follows; a cancelled one is `interrupted`, one whose `signal` times out failed.
 * What is known of the endpoint may be a little old: before that makes a delivery wait or end, it is read anew,
 * and where it is another, the attempt is made again.
 * @throws {SyncError} `STORE_UNAVAILABLE` or `ENCRYPTION_KEY_MISSING`, which another try or worker may cure
 */
export async function makeAttempt(
  dependencies: AttemptDependencies,
  input: DeliverInput,
  before: RoundProgress,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { endpoints } = dependencies
  const known = await endpoints.get(input.endpoint)
  const outcome = await attemptAt(known, dependencies, input, before, signal)
  if (outcome.kind !== 'waiting' && outcome.kind !== 'discarded') return outcome
  const latest = await endpoints.getLatest(input.endpoint)
  if (latest?.version === known?.version) return outcome
  return attemptAt(latest, dependencies, input, outcome, signal)
}

async function attemptAt(
  endpoint: StoredEndpoint | undefined,
  { sender, limiter, health, logger, random }: AttemptDependencies,
  { endpoint: name, event, acceptedAt, earlierAttempts }: DeliverInput,
  { attempts, evidence: earlierEvidence }: RoundProgress,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const before: RoundProgress = { attempts, evidence: earlierEvidence }
  if (endpoint === undefined) return { kind: 'discarded', reason: 'the endpoint was removed', ...before }
  const { version } = endpoint
  if (!isUsable(endpoint)) {
    if (endpoint.missingKey !== undefined)
      throw new SyncError('ENCRYPTION_KEY_MISSING', `${name}: ${endpoint.problem}`)
    const problem = { at: new Date().toISOString(), durationMs: 0, error: endpoint.problem }
    return waiting('misconfigured', DEFAULT_RETRY_POLICY, {
      ...before,
      evidence: [...before.evidence, problem],
    })
  }
  const policy = { ...DEFAULT_RETRY_POLICY, ...endpoint.retry }
  if (remainingMs(policy, acceptedAt) <= 0) return { kind: 'discarded', reason: 'expired', ...before }
  if (endpoint.state === 'paused') return waiting('paused', policy, before)

  const release = limiter.tryAcquire(name, endpoint.maxConcurrentAttempts)
  if (release === undefined) return { kind: 'retry', retryInMs: LIMIT_RETRY_MS * (1 + random()), ...before }
  const startedAt = Date.now()
  let result: AttemptResult
  try {
    result = await sender.send(endpoint, event, signal)
  } catch (error) {
    if (error instanceof CancelledFailure && error.message === 'CANCELLED')
      return { kind: 'interrupted', ...before }
    if (!(error instanceof DOMException) || error.name !== 'TimeoutError') throw error
    result = {
      kind: 'failure',
      code: 'ATTEMPT_TIMEOUT',
      message: `no response within ${Date.now() - startedAt} ms`,
    }
  } finally {
    release()
  }
  const evidence = {
    at: new Date(startedAt).toISOString(),
    durationMs: Date.now() - startedAt,
    ...shown(result),
  }
  const progress: RoundProgress = {
    attempts: before.attempts + 1,
    evidence: [...before.evidence, evidence].slice(-MAX_EVIDENCE),
  }
  const verdict = classify(result)
  health.observe(endpoint, { delivered: verdict.kind === 'delivered', durationMs: evidence.durationMs })
  logger.info(
    {
      endpoint: name,
      eventType: event.type,
      eventId: event.id,
      attempt: earlierAttempts + progress.attempts,
      outcome: verdict.kind === 'wait' ? verdict.reason : verdict.kind,
      ...evidence,
    },
    'attempt',
  )
  switch (verdict.kind) {
    case 'delivered':
      return { kind: 'delivered', ...progress }
    case 'wait':
      return waiting(verdict.reason, policy, progress)
    case 'retry': {
      const asked = result.kind === 'response' ? retryAfterMs(result.retryAfter, new Date()) : undefined
      const retryInMs = asked ?? backoffMs(policy, earlierAttempts + progress.attempts, random())
      return { kind: 'retry', retryInMs, ...progress }
    }
  }

  function waiting(
    reason: WaitingReason,
    retryPolicy: RetryPolicy,
    progressed: RoundProgress,
  ): AttemptOutcome {
    const slowIntervalMs = jittered(retryPolicy.slowIntervalMs, random())
    const expiresInMs = remainingMs(retryPolicy, acceptedAt) + EXPIRY_SLACK_MS
    const retryInMs = Math.max(0, Math.min(slowIntervalMs, expiresInMs))
    return { kind: 'waiting', reason, endpointVersion: version, retryInMs, ...progressed }
  }
}

/** How long until the delivery expires. */
function remainingMs({ expireAfterMs = Infinity }: RetryPolicy, acceptedAt: string): number {
  return Date.parse(acceptedAt) + expireAfterMs - Date.now()
}

function shown(result: AttemptResult): Partial<AttemptEvidence> {
  if (result.kind === 'failure') return { error: `${result.code}: ${result.message}` }
  const { status, excerpt } = result
  if (status >= 200 && status < 300) return { status }
  return { status, error: `HTTP ${status}`, ...(excerpt !== undefined && { excerpt }) }
}
