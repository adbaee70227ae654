import { DEFAULT_MAX_CONCURRENT_ATTEMPTS } from '../domain/attempt-limits.js'
import type { RoundPace, RoundProgress } from '../domain/delivery.js'
import type { Endpoint } from '../domain/endpoint.js'
import { downIntervals, limitBackoffMs, type RetryPolicy } from '../domain/retry-schedule.js'
import type { AttemptDependencies, DeliverInput } from './attempt.js'

/** While an endpoint is down or silent, its attempts hold so many slots of a worker at most. */
const MAX_UNANSWERED = 10

/** What an attempt may do. */
export type Admission =
  | { kind: 'granted'; release: () => void }
  | { kind: 'later'; inMs: number; pace: RoundPace }
  | { kind: 'down' }

/** Whether an attempt may be made now; every reason why not costs no request. */
export function admit(
  endpoint: Endpoint,
  policy: RetryPolicy,
  { health, limiter, rates, random }: AttemptDependencies,
  { isWanted }: DeliverInput,
  { attempts, pace }: RoundProgress,
  now: number,
): Admission {
  const isDown = health.isDown(endpoint)
  const isProbe = isDown && !(isWanted === true && attempts === 0)
  if (isProbe && !health.isProbeDue(endpoint, now)) return { kind: 'down' }

  const { timesAtLimit = 0, ...kept } = pace ?? {}
  if (endpoint.maxAttemptsPerSecond !== undefined) {
    kept.turnAt ??= rates.nextTurn(endpoint, endpoint.maxAttemptsPerSecond, now)
    const inMs = kept.turnAt - now
    if (inMs > 0) return { kind: 'later', inMs, pace: kept }
  }
  const limit = isProbe || health.isSilent(endpoint) ? unansweredLimitOf(endpoint) : concurrencyOf(endpoint)
  const release = limiter.tryAcquire(endpoint.name, limit)
  if (release === undefined) {
    if (isProbe || health.hangs(endpoint, now)) return { kind: 'down' }
    const inMs = limitBackoffMs(timesAtLimit, random())
    return { kind: 'later', inMs, pace: { ...kept, timesAtLimit: timesAtLimit + 1 } }
  }
  if (isDown) health.probe(endpoint, downIntervals(policy).spacingMs, now)
  const end = health.begin(endpoint, now)
  return {
    kind: 'granted',
    release: () => {
      end()
      release()
    },
  }
}

/** Whether an endpoint that is down would get an attempt now: it is time for one, and those before do not all hang. */
export function isProbeAdmitted(
  endpoint: Endpoint,
  { health, limiter }: Pick<AttemptDependencies, 'health' | 'limiter'>,
  now: number,
): boolean {
  return health.isProbeDue(endpoint, now) && limiter.hasRoom(endpoint.name, unansweredLimitOf(endpoint))
}

function unansweredLimitOf(endpoint: Endpoint): number {
  return Math.min(concurrencyOf(endpoint), MAX_UNANSWERED)
}

/** How many attempts of it a worker makes at the same time. */
export function concurrencyOf({ maxConcurrentAttempts }: Endpoint): number {
  return maxConcurrentAttempts ?? DEFAULT_MAX_CONCURRENT_ATTEMPTS
}
