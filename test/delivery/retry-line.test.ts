import { expect, test } from 'vitest'
import { createRetryLine } from '../../src/delivery/retry-line.js'

const EMS = { name: 'EMS', version: 'v1' }
const TURN = { intervalMs: 60_000, spacingMs: 3_000 }

test('a few that wait are retried at their interval', () => {
  let now = 0
  const line = createRetryLine(() => now)

  expect(line.enter(EMS, 'down', TURN)).toBe(60_000)
  now = 20_000
  expect(line.enter(EMS, 'down', TURN)).toBe(60_000)
  now = 60_000
  expect(line.enter(EMS, 'down', TURN)).toBe(60_000)
})

test('of thousands that wait one is retried every spacing', () => {
  const line = createRetryLine(() => 0)

  const turns = Array.from({ length: 2_000 }, () => line.enter(EMS, 'down', TURN))

  expect(turns.every((turn, index) => index === 0 || turn - (turns[index - 1] ?? 0) === 3_000)).toBe(true)
  expect(turns.at(-1)).toBe(60_000 + 1_999 * 3_000)
})

test('each endpoint and each reason has a line of its own', () => {
  const line = createRetryLine(() => 0)
  line.enter(EMS, 'down', TURN)

  expect(line.enter({ name: 'Hospital', version: 'v1' }, 'down', TURN)).toBe(60_000)
  expect(line.enter(EMS, 'misconfigured', TURN)).toBe(60_000)
})

test.for<[what: string, change: (line: ReturnType<typeof createRetryLine>) => typeof EMS]>([
  ['what was cleared', (line) => (line.clear('EMS', 'down'), EMS)],
  ['an endpoint with other settings', () => ({ name: 'EMS', version: 'v2' })],
])('%s begins anew', ([, change]) => {
  const line = createRetryLine(() => 0)
  line.enter(EMS, 'down', TURN)
  line.enter(EMS, 'down', TURN)

  expect(line.enter(change(line), 'down', TURN)).toBe(60_000)
})
