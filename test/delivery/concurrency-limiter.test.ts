import { expect, test } from 'vitest'
import { createConcurrencyLimiter } from '../../src/delivery/concurrency-limiter.js'

test('an endpoint gets as many places as its limit, each again when it is given back', () => {
  const limiter = createConcurrencyLimiter()
  const first = limiter.tryAcquire('EMS', 2)
  const second = limiter.tryAcquire('EMS', 2)

  expect(limiter.tryAcquire('EMS', 2)).toBeUndefined()
  expect(limiter.tryAcquire('Hospital', 2)).toBeDefined()
  first?.()
  expect(limiter.tryAcquire('EMS', 2)).toBeDefined()
  second?.()
})
