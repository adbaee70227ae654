import type { RetryLine } from '../delivery/retry-line.js'
import type { EndpointHealth } from '../delivery/endpoint-health.js'
import type { RoundOutcome, RoundProgress, WaitingReason } from '../domain/delivery.js'
import { downIntervals, jittered, spacingOf, type RetryPolicy } from '../domain/retry-schedule.js'
import type { StoredEndpoint } from '../store/endpoint-store.js'

/** The workflow's clock may be a little behind: a delivery that wakes up before its expiry is attempted again. */
const EXPIRY_SLACK_MS = 1_000

interface WaitsDependencies {
  health: EndpointHealth
  line: RetryLine
  random: () => number
}

/** The ways in which a delivery may wait for an endpoint; none is longer than until it expires. */
export interface Waits {
  /** How long until the delivery expires, in milliseconds. */
  remainingMs(): number
  /** At its slow interval, however many wait. */
  alone(reason: WaitingReason, progress: RoundProgress): RoundOutcome
  /** Until its turn among all that wait for this reason. */
  inLine(reason: WaitingReason, progress: RoundProgress): RoundOutcome
  /** As `down`, for as long as the receiver asked. */
  asAsked(askedMs: number, progress: RoundProgress): RoundOutcome
}

export function createWaits(
  { health, line, random }: WaitsDependencies,
  endpoint: Pick<StoredEndpoint, 'name' | 'version'>,
  policy: RetryPolicy,
  { acceptedAt, now }: { acceptedAt: string; now: number },
): Waits {
  const remainingMs = (): number => Date.parse(acceptedAt) + (policy.expireAfterMs ?? Infinity) - Date.now()
  return {
    remainingMs,
    alone: (reason, progress) => waiting(reason, jittered(policy.slowIntervalMs, random()), progress),
    inLine: (reason, progress) => {
      if (reason === 'down' && health.isDown(endpoint)) health.keepWaiting(endpoint)
      const { slowIntervalMs } = policy
      const { intervalMs, spacingMs } =
        reason === 'down'
          ? downIntervals(policy)
          : { intervalMs: slowIntervalMs, spacingMs: spacingOf(slowIntervalMs) }
      const turn = { intervalMs: jittered(intervalMs, random()), spacingMs }
      return waiting(reason, line.enter(endpoint, reason, turn, now), progress)
    },
    asAsked: (askedMs, progress) => ({ ...waiting('down', askedMs, progress), isAsked: true }),
  }

  function waiting(
    reason: WaitingReason,
    ownMs: number,
    { attempts, evidence }: RoundProgress,
  ): RoundOutcome & { kind: 'waiting' } {
    const retryInMs = Math.max(0, Math.min(ownMs, remainingMs() + EXPIRY_SLACK_MS))
    return { kind: 'waiting', reason, endpointVersion: endpoint.version, retryInMs, attempts, evidence }
  }
}
