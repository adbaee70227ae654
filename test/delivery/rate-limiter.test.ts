import { expect, test } from 'vitest'
import { createRateLimiter } from '../../src/delivery/rate-limiter.js'

const EMS = { name: 'EMS', version: 'v1' }

test('attempts beyond the rate get turns that are evenly spaced', () => {
  const limiter = createRateLimiter()

  expect([1, 2, 3].map(() => limiter.nextTurn(EMS, 5, 0))).toEqual([0, 200, 400])
  expect(limiter.nextTurn({ name: 'Hospital', version: 'v1' }, 5, 0)).toBe(0)
})

test('what was not used is saved up for a second and no longer', () => {
  const limiter = createRateLimiter()
  limiter.nextTurn(EMS, 2, 0)
  const now = 60_000

  const waits = [1, 2, 3, 4, 5].map(() => Math.max(0, limiter.nextTurn(EMS, 2, now) - now))

  expect(waits).toEqual([0, 0, 0, 500, 1_000])
})

test('another limit is in force at once', () => {
  const limiter = createRateLimiter()
  for (let turn = 0; turn < 10; turn += 1) limiter.nextTurn(EMS, 0.01, 0)

  expect(limiter.nextTurn({ name: 'EMS', version: 'v2' }, 10, 0)).toBe(0)
})
