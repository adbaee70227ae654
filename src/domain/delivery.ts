/** Why a delivery waits between rounds. */
export type WaitingReason = 'down' | 'misconfigured' | 'rejected' | 'paused'

export type DeliveryState = 'attempting' | 'waiting' | 'delivered' | 'discarded'

/** What one HTTP request came to; kept without any secret of the endpoint. */
export interface AttemptEvidence {
  /** When it began, RFC 3339. */
  at: string
  durationMs: number
  /** HTTP status, where an answer came. */
  status?: number
  /** What went wrong, such as `HTTP 503` or `ECONNREFUSED: the connection was refused`. */
  error?: string
  /** The beginning of an answer that was not a success. */
  excerpt?: string
}

/** One event to one endpoint: where it stands. Plain data: it is workflow state, result and query answer. */
export interface Delivery {
  endpoint: string
  state: DeliveryState
  /** Why it waits, or why it was discarded. */
  reason?: string
  /** HTTP requests made so far. */
  attempts: number
  /** HTTP status of the last attempt that got an answer. */
  lastStatus?: number
  /** What went wrong last. */
  lastError?: string
  /** When it is tried again by itself, RFC 3339. */
  nextRetryAt?: string
  /** When it was delivered or discarded, RFC 3339. */
  endedAt?: string
  /** The last attempts, oldest first. */
  evidence?: AttemptEvidence[]
  /** While it waits: the version of the endpoint that its last round has seen. */
  endpointVersion?: string
  /** While it waits as `down`: the receiver asked for no attempt before, RFC 3339 (`Retry-After`). */
  notBefore?: string
}

/** What the rounds of a delivery have come to so far; carried by a round from attempt to attempt. */
export interface RoundProgress {
  /** HTTP requests made in this round. */
  attempts: number
  /** The last of them, oldest first. */
  evidence: AttemptEvidence[]
  /** Absent before the first try. */
  pace?: RoundPace
}

/** What the next try of a round goes by. */
export interface RoundPace {
  /** When the round's first request was made, in milliseconds since the epoch. */
  startedAt?: number
  /** Tries in a row that the endpoint's limit of concurrent attempts has put off. */
  timesAtLimit?: number
  /** The turn that the endpoint's rate limit has given to the next try, in milliseconds since the epoch. */
  turnAt?: number
}

/** What a round ended with: a value, so that no endpoint's failure rejects another's promise. */
export type RoundOutcome = RoundProgress &
  (
    | { kind: 'delivered' }
    | {
        kind: 'waiting'
        reason: WaitingReason
        /** How long it waits by itself. */
        retryInMs: number
        /** The endpoint's version that the round has seen; another one is worth a new round at once. */
        endpointVersion?: string
        /** Whether the receiver asked for this wait, so that its recovery does not end it. */
        isAsked?: true
      }
    | { kind: 'discarded'; reason: string }
    /** Ended from outside, for a new round or none. */
    | { kind: 'interrupted' }
  )

/** What one attempt came to: as a round, or to be made again. */
export type AttemptOutcome = RoundOutcome | (RoundProgress & { kind: 'retry'; retryInMs: number })

/** No first attempt was made: it is left to a round. */
export interface Skipped {
  kind: 'skipped'
  /** The endpoint's rate limit, by which the server paces the round. */
  maxAttemptsPerSecond?: number
}

/** How many attempts are kept as evidence. */
export const MAX_EVIDENCE = 10

/** A round in which nothing has happened. */
export const NO_PROGRESS: RoundProgress = { attempts: 0, evidence: [] }

/** A delivery as it begins. */
export function newDelivery(endpoint: string): Delivery {
  return { endpoint, state: 'attempting', attempts: 0 }
}

/** Whether nothing more will happen to it. */
export function hasEnded({ state }: Delivery): boolean {
  return state === 'delivered' || state === 'discarded'
}

/** The delivery when its next round begins. */
export function attempting(delivery: Delivery): Delivery {
  const {
    reason: _reason,
    nextRetryAt: _nextRetryAt,
    endpointVersion: _endpointVersion,
    notBefore: _notBefore,
    ...kept
  } = delivery
  return { ...kept, state: 'attempting' }
}

/** The delivery after a round, or an attempt on its own, that ended at `now`. */
export function afterRound(delivery: Delivery, round: AttemptOutcome, now: Date): Delivery {
  const next = withProgress(attempting(delivery), round)
  switch (round.kind) {
    case 'interrupted':
      return next
    case 'retry':
      return { ...next, nextRetryAt: new Date(now.getTime() + round.retryInMs).toISOString() }
    case 'delivered':
      return { ...withoutError(next), state: 'delivered', endedAt: now.toISOString() }
    case 'discarded':
      return discarded(next, round.reason, now)
    case 'waiting': {
      const nextRetryAt = new Date(now.getTime() + round.retryInMs).toISOString()
      return {
        ...next,
        state: 'waiting',
        reason: round.reason,
        nextRetryAt,
        ...(round.isAsked === true && { notBefore: nextRetryAt }),
        ...(round.endpointVersion !== undefined && { endpointVersion: round.endpointVersion }),
      }
    }
  }
}

/** The delivery when it was discarded at `now`. */
export function discarded(delivery: Delivery, reason: string, now: Date): Delivery {
  return { ...attempting(delivery), state: 'discarded', reason, endedAt: now.toISOString() }
}

/** The delivery with what its round has come to so far. */
export function withProgress(delivery: Delivery, { attempts, evidence }: RoundProgress): Delivery {
  const last = evidence.at(-1)
  const status = evidence.findLast((attempt) => attempt.status !== undefined)?.status
  return {
    ...delivery,
    attempts: delivery.attempts + attempts,
    ...(status !== undefined && { lastStatus: status }),
    ...(last?.error !== undefined && { lastError: last.error }),
    ...(evidence.length > 0 && {
      evidence: [...(delivery.evidence ?? []), ...evidence].slice(-MAX_EVIDENCE),
    }),
  }
}

function withoutError(delivery: Delivery): Delivery {
  const { lastError: _lastError, ...kept } = delivery
  return kept
}
