/** Stable codes of every error this package throws on purpose; match on these, never on messages. */
export type SyncErrorCode =
  | 'INVALID_INPUT'
  | 'EVENT_CONFLICT'
  | 'EVENT_NOT_FOUND'
  | 'EVENT_NOT_ACCEPTED'
  | 'DELIVERY_NOT_OPEN'
  | 'ENDPOINT_NOT_FOUND'
  | 'ENDPOINT_HAS_WAITING'
  | 'ENDPOINT_UNUSABLE'
  | 'REPLAY_NOT_FOUND'
  | 'STORE_UNAVAILABLE'
  | 'STORE_SCHEMA_MISMATCH'
  | 'ENCRYPTION_KEY_MISSING'
  | 'ENCRYPTION_KEY_WRONG'
  | 'DECRYPTION_FAILED'
  | 'TEMPORAL_UNREACHABLE'
  | 'TEMPORAL_TLS_FAILED'
  | 'TEMPORAL_ACCESS_DENIED'
  | 'TEMPORAL_NAMESPACE_MISSING'
  | 'TEMPORAL_SEARCH_ATTRIBUTE_MISSING'
  | 'TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH'
  | 'TEMPORAL_SETUP_FAILED'
  | 'TEMPORAL_SERVER_NOT_FOUND'
  | 'TEMPORAL_SERVER_FAILED'
  | 'NO_WORKER'
  | 'CLOSED'

/** The one base class: `code` is stable, the message names the thing, the value and what is accepted. */
export class SyncError extends Error {
  override readonly name: string = 'SyncError'

  constructor(
    readonly code: SyncErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** One refused field of an input. `value` is absent for a sensitive field and for one that was not given. */
export interface InputProblem {
  /** Path of the field, such as `url` or `events[2]`. */
  field: string
  /** What was given, shortened; a URL shows as its origin; absent for a secret. */
  value?: string
  /** What would be accepted. */
  accepted: string
}

/** An input was refused before anything was stored or started. Holds every problem at once. */
export class InvalidInputError extends SyncError {
  override readonly name = 'InvalidInputError'

  constructor(
    readonly subject: string,
    readonly problems: readonly InputProblem[],
  ) {
    super('INVALID_INPUT', `${subject}: ${problems.map(describeProblem).join('; ')}`)
  }
}

/** The event's type and id were accepted before, with other data. */
export class EventConflictError extends SyncError {
  override readonly name = 'EventConflictError'

  constructor(
    readonly eventType: string,
    readonly eventId: string,
  ) {
    super(
      'EVENT_CONFLICT',
      `event ${eventType}/${eventId} was already accepted with other data; ` +
        'emit the same data to repeat it, or use another id for another event',
    )
  }
}

function describeProblem({ field, value, accepted }: InputProblem): string {
  return value === undefined
    ? `${field} is not accepted: expected ${accepted}`
    : `${field} ${value} is not accepted: expected ${accepted}`
}
