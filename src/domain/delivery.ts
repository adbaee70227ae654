/** Why a delivery waits between rounds. */
export type WaitingReason = 'down' | 'misconfigured' | 'rejected' | 'paused'

export type DeliveryState = 'attempting' | 'waiting' | 'delivered' | 'discarded'

/** One event to one endpoint: where it stands. Plain data: it is workflow state, result and query answer. */
export interface Delivery {
  endpoint: string
  state: DeliveryState
  /** Why it waits, or why it was discarded. */
  reason?: string
  /** HTTP requests made in the rounds that have ended. */
  attempts: number
  /** HTTP status of the last attempt that got an answer. */
  lastStatus?: number
  /** What went wrong last, without any secret. */
  lastError?: string
  /** When a waiting delivery tries again by itself, RFC 3339. */
  nextRetryAt?: string
  /** When it was delivered or discarded, RFC 3339. */
  endedAt?: string
}

/** What a round ended with: a value, so that no endpoint's failure rejects another's promise. */
export type RoundOutcome = { attempts: number; status?: number; error?: string } & (
  { kind: 'delivered' } | { kind: 'waiting'; reason: WaitingReason } | { kind: 'discarded'; reason: string }
)

/** A delivery as it begins. */
export function newDelivery(endpoint: string): Delivery {
  return { endpoint, state: 'attempting', attempts: 0 }
}

/** Whether nothing more will happen to it. */
export function hasEnded({ state }: Delivery): boolean {
  return state === 'delivered' || state === 'discarded'
}

/**
 * The delivery after a round.
 * @param now when the round ended
 * @param slowIntervalMs how long a delivery that now waits does so by itself
 */
export function afterRound(
  delivery: Delivery,
  round: RoundOutcome,
  now: Date,
  slowIntervalMs: number,
): Delivery {
  const next: Delivery = {
    endpoint: delivery.endpoint,
    state: round.kind,
    attempts: delivery.attempts + round.attempts,
    ...(round.status !== undefined && { lastStatus: round.status }),
    ...(round.error !== undefined && { lastError: round.error }),
  }
  switch (round.kind) {
    case 'delivered':
      return { ...next, endedAt: now.toISOString() }
    case 'discarded':
      return { ...next, reason: round.reason, endedAt: now.toISOString() }
    case 'waiting':
      return {
        ...next,
        reason: round.reason,
        nextRetryAt: new Date(now.getTime() + slowIntervalMs).toISOString(),
      }
  }
}

/** The delivery when its next round begins. */
export function attempting(delivery: Delivery): Delivery {
  const { reason: _reason, nextRetryAt: _nextRetryAt, ...kept } = delivery
  return { ...kept, state: 'attempting' }
}
