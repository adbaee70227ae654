import { DEFAULT_MAX_CONCURRENT_ATTEMPTS } from '../domain/attempt-limits.js'
import type { RoundPace, RoundProgress } from '../domain/delivery.js'
import type { Endpoint } from '../domain/endpoint.js'
import { downIntervals, limitBackoffMs, type RetryPolicy } from '../domain/retry-schedule.js'
import type { AttemptDependencies, AttemptTime, DeliverInput } from './attempt.js'

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
  { isWanted, limitMs }: Pick<DeliverInput, 'isWanted'> & Pick<AttemptTime, 'limitMs'>,
  { attempts, pace }: RoundProgress,
  now: number,
): Admission {
  const isDown = health.isDown(endpoint)
  const isProbe = isDown && !(isWanted === true && attempts === 0)
  // A probe has all the time that the endpoint may take.
  if (isProbe && (limitMs !== undefined || !health.isProbeDue(endpoint, now))) return { kind: 'down' }

  const { timesAtLimit = 0, ...kept } = pace ?? {}
  if (endpoint.maxAttemptsPerSecond !== undefined) {
    kept.turnAt ??= rates.nextTurn(endpoint, endpoint.maxAttemptsPerSecond, now)
    const inMs = kept.turnAt - now
    if (inMs > 0) return { kind: 'later', inMs, pace: kept }
  }
  const limit = isProbe || health.isSilent(endpoint) ? unansweredLimitOf(endpoint) : concurrencyOf(endpoint)
  const isAtLimit = !limiter.hasRoom(endpoint.name, limit)
  if (isProbe ? isAtLimit : health.hangs(endpoint, now, isAtLimit)) return { kind: 'down' }
  const release = limiter.tryAcquire(endpoint.name, limit)
  if (release === undefined) {
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

/** Whether as many attempts are under way as an endpoint gets that does not answer. */
export function isProbed(endpoint: Endpoint, { limiter }: Pick<AttemptDependencies, 'limiter'>): boolean {
  return !limiter.hasRoom(endpoint.name, unansweredLimitOf(endpoint))
}

function unansweredLimitOf(endpoint: Endpoint): number {
  return Math.min(concurrencyOf(endpoint), MAX_UNANSWERED)
}

/** How many attempts of it a worker makes at the same time. */
export function concurrencyOf({ maxConcurrentAttempts }: Endpoint): number {
  return maxConcurrentAttempts ?? DEFAULT_MAX_CONCURRENT_ATTEMPTS
}
