/** Time limits of one attempt, in milliseconds. */
export interface AttemptLimits {
  /** Until the connection stands, TLS included. */
  connectTimeoutMs: number
  /** From the request to the response's headers. */
  headersTimeoutMs: number
  /** Between two pieces of the response's body. */
  bodyTimeoutMs: number
  /** The whole attempt. */
  totalTimeoutMs: number
}

/** The limits of every endpoint. */
export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = {
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 20_000,
  bodyTimeoutMs: 10_000,
  totalTimeoutMs: 30_000,
}

/** The longest attempt that an endpoint may ask for, in milliseconds. */
export const MAX_ATTEMPT_TIMEOUT_MS = 300_000

/** How many attempts of one endpoint a worker makes at the same time where the endpoint has no limit of its own. */
export const DEFAULT_MAX_CONCURRENT_ATTEMPTS = 100
