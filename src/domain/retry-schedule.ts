/** How often and how long a delivery is retried. */
export interface RetryPolicy {
  /** Wait before the second attempt, in milliseconds. @default 1000 */
  initialIntervalMs: number
  /** Each wait is this many times the one before. @default 2 */
  backoffCoefficient: number
  /** No wait inside a round is longer, in milliseconds. @default 60000 */
  maximumIntervalMs: number
  /** How long a delivery waits that retrying soon cannot cure, in milliseconds. @default 900000 */
  slowIntervalMs: number
  /** After how long a delivery is given up, in milliseconds from the emit. @default never */
  expireAfterMs?: number
}

/** The policy of an endpoint that has none of its own. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  initialIntervalMs: 1_000,
  backoffCoefficient: 2,
  maximumIntervalMs: 60_000,
  slowIntervalMs: 15 * 60_000,
}

/** How long a round of attempts lasts, in milliseconds: what would be retried later waits as `down`. */
export const ROUND_LIMIT_MS = 5 * 60_000

/** Between the attempts of an endpoint that is down, in milliseconds, however many deliveries wait for it. */
const PROBE_SPACING_MS = 3_000

/** First and longest wait for an endpoint that is at its limit, in milliseconds, before jitter. */
const LIMIT_BACKOFF_MS = 1_000
const MAX_LIMIT_BACKOFF_MS = 15_000

/** Bounds of what a receiver may ask for with `Retry-After`, in milliseconds. */
const MIN_RETRY_AFTER_MS = 1_000
const MAX_RETRY_AFTER_MS = 60 * 60_000

/** Up to this part of a wait is taken off at random, so that many retries do not arrive together. */
const JITTER = 0.2

/**
 * The wait after a failed attempt: capped exponential backoff, less a jitter.
 * @param attempt the attempt that failed, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const { initialIntervalMs, backoffCoefficient, maximumIntervalMs } = policy
  const full = Math.min(initialIntervalMs * backoffCoefficient ** (attempt - 1), maximumIntervalMs)
  return jittered(full, random)
}

/**
 * How often a delivery that waits as `down` is retried where few wait, and how far apart the retries of many are,
 * in milliseconds; both before jitter.
 */
export function downIntervals(policy: RetryPolicy): { intervalMs: number; spacingMs: number } {
  const { initialIntervalMs, maximumIntervalMs, slowIntervalMs } = policy
  const intervalMs = Math.max(
    Math.min(slowIntervalMs, maximumIntervalMs),
    Math.min(initialIntervalMs, maximumIntervalMs),
  )
  return { intervalMs, spacingMs: spacingOf(intervalMs) }
}

/** How far apart the retries of many waiting deliveries are, in milliseconds; no wider than for one alone. */
export function spacingOf(intervalMs: number): number {
  return Math.min(PROBE_SPACING_MS, intervalMs)
}

/**
 * The wait of an attempt that finds its endpoint at its limit of concurrent attempts.
 * @param times how often in a row it has found that before
 * @param random in [0, 1)
 */
export function limitBackoffMs(times: number, random: number): number {
  const full = Math.min(LIMIT_BACKOFF_MS * 2 ** times, MAX_LIMIT_BACKOFF_MS)
  return Math.round(full * (1 + random))
}

/** An interval less a random part of it. */
export function jittered(intervalMs: number, random: number): number {
  return Math.round(intervalMs * (1 - JITTER * random))
}

/**
 * Reads `Retry-After` (RFC 9110, section 10.2.3): whole seconds or an HTTP date, kept within 1 s and 1 h.
 * @returns milliseconds, or undefined where the header is absent or garbage
 */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  const asked = header === undefined ? undefined : parseRetryAfter(header.trim(), now)
  return asked === undefined ? undefined : Math.min(Math.max(asked, MIN_RETRY_AFTER_MS), MAX_RETRY_AFTER_MS)
}

/** The three forms of an HTTP date (RFC 9110, section 5.6.7); that of asctime says no zone and means GMT. */
const ZONED_DATE = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -](\d{4}|\d{2}) \d{2}:\d{2}:\d{2} GMT$/
const ASCTIME_DATE = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

function parseRetryAfter(header: string, now: Date): number | undefined {
  if (/^\d{1,15}$/.test(header)) return Number(header) * 1_000
  const isAsctime = ASCTIME_DATE.test(header)
  if (!isAsctime && !ZONED_DATE.test(header)) return undefined
  const date = Date.parse(isAsctime ? `${header} GMT` : header)
  return Number.isNaN(date) ? undefined : date - now.getTime()
}
