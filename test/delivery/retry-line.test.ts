import { expect, test } from 'vitest'
import { createRetryLine } from '../../src/delivery/retry-line.js'

const EMS = { name: 'EMS', version: 'v1' }
const TURN = { intervalMs: 60_000, spacingMs: 3_000 }

test('a few that wait are retried at their interval', () => {
  let now = 0
  const line = createRetryLine()

  expect(line.enter(EMS, 'down', TURN, now)).toBe(60_000)
  now = 20_000
  expect(line.enter(EMS, 'down', TURN, now)).toBe(60_000)
  now = 60_000
  expect(line.enter(EMS, 'down', TURN, now)).toBe(60_000)
})

test('of thousands that wait one is retried every spacing, from the beginning', () => {
  const line = createRetryLine()

  const turns = Array.from({ length: 2_000 }, () => line.enter(EMS, 'down', TURN, 0))

  const sorted = turns.toSorted((one, other) => one - other)
  expect(sorted).toEqual(Array.from({ length: 2_000 }, (_, index) => (index + 1) * 3_000))
})

test('a dozen that wait have no turn before their interval', () => {
  const line = createRetryLine()

  const turns = Array.from({ length: 12 }, () => line.enter(EMS, 'down', TURN, 0))

  expect(turns).toEqual(Array.from({ length: 12 }, (_, index) => 60_000 + index * 3_000))
})

test('a few whose intervals differ by jitter have no turn before theirs', () => {
  const line = createRetryLine()
  const intervals = [900_000, 720_000, 810_000, 720_000, 899_000, 725_000]

  const turns = intervals.map((intervalMs) => line.enter(EMS, 'rejected', { ...TURN, intervalMs }, 0))

  for (const [index, turn] of turns.entries()) expect(turn).toBeGreaterThanOrEqual(intervals[index]!)
})

test('a long line goes on evenly while its deliveries come back to its end', () => {
  let now = 0
  const line = createRetryLine()
  const turns = Array.from({ length: 100 }, () => line.enter(EMS, 'down', TURN, now))
  const times: number[] = []
  for (let retries = 1; retries <= 1_000; retries += 1) {
    now = Math.min(...turns)
    times.push(now)
    turns[turns.indexOf(now)] = now + line.enter(EMS, 'down', TURN, now)
  }

  expect(times).toEqual(Array.from({ length: 1_000 }, (_, index) => (index + 1) * 3_000))
})

test('each endpoint and each reason has a line of its own', () => {
  const line = createRetryLine()
  line.enter(EMS, 'down', TURN, 0)

  expect(line.enter({ name: 'Hospital', version: 'v1' }, 'down', TURN, 0)).toBe(60_000)
  expect(line.enter(EMS, 'misconfigured', TURN, 0)).toBe(60_000)
})

test.for<[what: string, change: (line: ReturnType<typeof createRetryLine>) => typeof EMS]>([
  ['what was cleared', (line) => (line.clear('EMS', 'down'), EMS)],
  ['an endpoint with other settings', () => ({ name: 'EMS', version: 'v2' })],
])('%s begins anew', ([, change]) => {
  const line = createRetryLine()
  line.enter(EMS, 'down', TURN, 0)
  line.enter(EMS, 'down', TURN, 0)

  expect(line.enter(change(line), 'down', TURN, 0)).toBe(60_000)
})
