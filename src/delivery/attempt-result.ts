import type { WaitingReason } from '../domain/delivery.js'

/** What follows from one attempt; the table is in the design notes and in docs of the states. */
export type Verdict =
  | { kind: 'delivered' }
  | { kind: 'retry' }
  | { kind: 'wait'; reason: Exclude<WaitingReason, 'down' | 'paused'> }

/** What one HTTP request came to. */
export type AttemptResult =
  | {
      kind: 'response'
      status: number
      /** RFC 9110, section 10.2.3. */
      retryAfter?: string
      /** The beginning of an answer that was not a success, without secrets of the endpoint. */
      excerpt?: string
      timing?: { firstByteMs: number }
      /** Where the endpoint's connector decided, and not the status. */
      verdict?: Verdict
    }
  | AttemptFailure

/** No response: `code` is ours, undici's, Node's or OpenSSL's. */
export interface AttemptFailure {
  kind: 'failure'
  code: string
  message: string
  /** No connector decides what no answer means. */
  verdict?: never
}

/** What this package itself finds wrong with an attempt. */
export type AttemptErrorCode =
  | 'ADDRESS_GUARDED'
  | 'MAPPING_FAILED'
  | 'CONNECTOR_UNKNOWN'
  | 'CONNECTOR_FAILED'
  | 'OAUTH_REFUSED'
  | 'OAUTH_UNAVAILABLE'

/** Ends an attempt; the message is shown to operators, so that it holds no secret. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError'

  constructor(
    readonly code: AttemptErrorCode,
    message: string,
  ) {
    super(message)
  }
}
