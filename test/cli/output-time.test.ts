import { expect, test } from 'vitest'
import { relativeTime } from '../../src/cli/output-time.js'

const NOW = new Date('2026-03-01T12:00:00Z')

test.each([
  ['2026-03-01T12:00:00.900Z', 'now'],
  ['2026-03-01T11:59:59.100Z', 'now'],
  ['2026-03-01T12:00:40.000Z', 'in 40 s'],
  ['2026-03-01T11:57:01.000Z', '2 m ago'],
  ['2026-03-01T12:59:59.000Z', 'in 59 m'],
  ['2026-03-01T09:00:00.000Z', '3 h ago'],
  ['2026-02-26T12:00:00.000Z', '3 d ago'],
])('%s is %s', (at, expected) => {
  expect(relativeTime(at, NOW)).toBe(expected)
})
