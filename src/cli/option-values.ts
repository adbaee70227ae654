import { InvalidArgumentError } from 'commander'
import { timeSchema } from '../domain/event.js'

const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/
const DAY = /^\d{4}-\d\d-\d\d$/

/** What {@link parseMoment} takes, for the help of an option. */
export const MOMENTS = '2h (ago), a day (UTC) or an RFC 3339 time'

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 60 * 60_000,
  d: 24 * 60 * 60_000,
}

/** Where the HTTP API is unless told otherwise. */
export const DEFAULT_API_PORT = 8080

/** A port, or 0 for any free one. */
export function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('expected a port from 0 to 65535')
}

/** A whole number of 1 or more. */
export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,9}$/.test(text) && count >= 1) return count
  throw new InvalidArgumentError('expected a whole number of 1 or more')
}

/** A duration such as `30s`, `2h` or `1.5d`, in milliseconds. */
export function parseDuration(text: string): number {
  const durationMs = durationOf(text)
  if (durationMs !== undefined) return durationMs
  throw new InvalidArgumentError('expected a duration such as 30s, 15m, 2h or 7d')
}

/** A moment: how long ago it was, such as `2h`, a day, which is taken from its beginning in UTC, or an RFC 3339 timestamp. */
export function parseMoment(text: string): Date {
  const agoMs = durationOf(text)
  if (agoMs !== undefined) return new Date(Date.now() - agoMs)
  const time = timeSchema.safeParse(DAY.test(text) ? `${text}T00:00:00Z` : text)
  if (time.success) return new Date(time.data)
  throw new InvalidArgumentError(
    'expected how long ago, such as 30s, 15m, 2h or 7d, a day such as 2026-11-25, or an RFC 3339 time with an offset',
  )
}

/** Names separated by commas, or given with several options of the kind. */
export function collectNames(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').flatMap((name) => name.trim() || [])]
}

/** Values of an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

function durationOf(text: string): number | undefined {
  const [, count, unit = ''] = DURATION.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * UNITS_MS[unit]!
}
