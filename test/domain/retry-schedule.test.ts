import { expect, test } from 'vitest'
import {
  backoffMs,
  DEFAULT_RETRY_POLICY,
  downIntervals,
  jittered,
  limitBackoffMs,
  retryAfterMs,
} from '../../src/domain/retry-schedule.js'

const NOW = new Date('2026-01-01T00:00:00Z')
const HOUR_MS = 3_600_000

test('without jitter each wait is twice the one before, from 1 s up to 1 minute', () => {
  const waits = Array.from({ length: 9 }, (_, index) => backoffMs(DEFAULT_RETRY_POLICY, index + 1, 0))

  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
})

test('the wait stays at its cap however many attempts there were', () => {
  for (const attempt of [100, 1_024, 5_000, 1_000_000, Number.MAX_SAFE_INTEGER]) {
    expect(backoffMs(DEFAULT_RETRY_POLICY, attempt, 0)).toBe(60_000)
  }
})

test('a policy of its own decides the first wait, the factor and the cap', () => {
  const policy = {
    ...DEFAULT_RETRY_POLICY,
    initialIntervalMs: 50,
    backoffCoefficient: 3,
    maximumIntervalMs: 1_000,
  }

  expect([1, 2, 3, 4, 5].map((attempt) => backoffMs(policy, attempt, 0))).toEqual([
    50, 150, 450, 1_000, 1_000,
  ])
})

test('jitter takes off up to a fifth and never adds', () => {
  expect([0, 0.25, 0.5, 0.75].map((random) => jittered(10_000, random))).toEqual([
    10_000, 9_500, 9_000, 8_500,
  ])
  expect(jittered(10_000, 1 - Number.EPSILON)).toBe(8_000)
  expect(backoffMs(DEFAULT_RETRY_POLICY, 3, 0.5)).toBe(3_600)
})

test('random jitter stays within its bounds and is whole milliseconds', () => {
  for (let run = 0; run < 1_000; run++) {
    const wait = backoffMs(DEFAULT_RETRY_POLICY, 7, Math.random())
    expect(wait).toBeGreaterThanOrEqual(48_000)
    expect(wait).toBeLessThanOrEqual(60_000)
    expect(Number.isInteger(wait)).toBe(true)
  }
})

test.each([
  ['seconds', '120', 120_000],
  ['seconds with white space around', ' 7\t', 7_000],
  ['seconds with leading zeros', '0005', 5_000],
  ['an IMF-fixdate', 'Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
  ['an RFC 850 date', 'Thursday, 01-Jan-26 00:02:00 GMT', 120_000],
  ['an asctime date', 'Thu Jan  1 00:02:00 2026', 120_000],
  ['an asctime date with a day of two digits', 'Wed Dec 31 23:59:00 2025', 1_000],
  ['the least', '1', 1_000],
  ['less than the least', '0', 1_000],
  ['the most', '3600', HOUR_MS],
  ['more than the most', '3601', HOUR_MS],
  ['far more than the most', '999999999999999', HOUR_MS],
  ['a date that has passed', 'Wed, 31 Dec 2025 00:00:00 GMT', 1_000],
  ['a date less than a second ahead', 'Thu, 01 Jan 2026 00:00:00 GMT', 1_000],
  ['a date in a year', 'Fri, 01 Jan 2027 00:00:00 GMT', HOUR_MS],
])('Retry-After is read as %s: %j', (_title, header, wait) => {
  expect(retryAfterMs(header, NOW)).toBe(wait)
})

test.each([
  ['absent', undefined],
  ['empty', ''],
  ['blank', '  '],
  ['negative', '-1'],
  ['signed', '+1'],
  ['a fraction', '1.5'],
  ['an exponent', '1e3'],
  ['hexadecimal', '0x10'],
  ['with a unit', '10s'],
  ['too many digits', '9'.repeat(16)],
  ['infinite', 'Infinity'],
  ['text', 'soon'],
  ['several numbers', '120, 60'],
  ['a number after a date', 'Thu, 01 Jan 2026 00:02:00 GMT, 120'],
  ['an ISO date', '2026-01-01T00:02:00Z'],
  ['a date with another zone', 'Thu, 01 Jan 2026 00:02:00 +0200'],
  ['a date without a zone', 'Thu, 01 Jan 2026 00:02:00'],
  ['a day that does not exist', 'Thu, 32 Jan 2026 00:02:00 GMT'],
  ['an hour that does not exist', 'Thu, 01 Jan 2026 25:02:00 GMT'],
  ['a month that does not exist', 'Thu, 01 Foo 2026 00:02:00 GMT'],
  ['words around a date', 'Thufoo, bar 01 Jan 2026 00:02:00'],
])('Retry-After is ignored when it is %s: %j', (_title, header) => {
  expect(retryAfterMs(header, NOW)).toBeUndefined()
})

test('an attempt at a limit waits 1 to 2 s, then twice as long each time, up to 15 to 30 s', () => {
  expect([0, 1, 2, 3, 4, 100].map((times) => limitBackoffMs(times, 0))).toEqual([
    1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
  ])
  expect(limitBackoffMs(0, 0.5)).toBe(1_500)
  expect(limitBackoffMs(100, 1 - Number.EPSILON)).toBe(30_000)
})

test.for<[what: string, retry: object, intervals: ReturnType<typeof downIntervals>]>([
  ['a minute by default, 3 s apart', {}, { intervalMs: 60_000, spacingMs: 3_000 }],
  [
    'the slow interval where it is shorter',
    { slowIntervalMs: 2_000 },
    { intervalMs: 2_000, spacingMs: 2_000 },
  ],
  [
    'no sooner than the first retry of a round',
    { initialIntervalMs: 600_000, maximumIntervalMs: 3_600_000, slowIntervalMs: 1_000 },
    { intervalMs: 600_000, spacingMs: 3_000 },
  ],
])('what waits for an endpoint that is down is retried: %s', ([, retry, intervals]) => {
  expect(downIntervals({ ...DEFAULT_RETRY_POLICY, ...retry })).toEqual(intervals)
})
