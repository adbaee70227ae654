import { expect, test } from 'vitest'
import { afterRound, attempting, hasEnded, newDelivery, type Delivery } from '../../src/domain/delivery.js'

const NOW = new Date('2026-01-01T00:00:00Z')
const SLOW_INTERVAL_MS = 900_000

test('a new delivery is attempting and has made no attempt', () => {
  expect(newDelivery('EMS')).toEqual({ endpoint: 'EMS', state: 'attempting', attempts: 0 })
})

test('a round that delivers ends the delivery', () => {
  const after = afterRound(
    newDelivery('EMS'),
    { kind: 'delivered', attempts: 3, status: 204 },
    NOW,
    SLOW_INTERVAL_MS,
  )

  expect(after).toEqual({
    endpoint: 'EMS',
    state: 'delivered',
    attempts: 3,
    lastStatus: 204,
    endedAt: '2026-01-01T00:00:00.000Z',
  })
})

test('a round that cannot be cured soon leaves the delivery waiting, with the reason and the next time', () => {
  const round = {
    kind: 'waiting',
    reason: 'misconfigured',
    attempts: 1,
    status: 404,
    error: 'HTTP 404',
  } as const

  expect(afterRound(newDelivery('EMS'), round, NOW, SLOW_INTERVAL_MS)).toEqual({
    endpoint: 'EMS',
    state: 'waiting',
    reason: 'misconfigured',
    attempts: 1,
    lastStatus: 404,
    lastError: 'HTTP 404',
    nextRetryAt: '2026-01-01T00:15:00.000Z',
  })
})

test('a round that ends with a discard says why', () => {
  const round = { kind: 'discarded', reason: 'the endpoint was removed', attempts: 0 } as const

  expect(afterRound(newDelivery('EMS'), round, NOW, SLOW_INTERVAL_MS)).toEqual({
    endpoint: 'EMS',
    state: 'discarded',
    reason: 'the endpoint was removed',
    attempts: 0,
    endedAt: '2026-01-01T00:00:00.000Z',
  })
})

test('attempts add up over rounds, and what went wrong before is forgotten once it is delivered', () => {
  const waiting = afterRound(
    newDelivery('EMS'),
    { kind: 'waiting', reason: 'rejected', attempts: 2, status: 422, error: 'HTTP 422' },
    NOW,
    SLOW_INTERVAL_MS,
  )
  const again = attempting(waiting)
  expect(again).toEqual({
    endpoint: 'EMS',
    state: 'attempting',
    attempts: 2,
    lastStatus: 422,
    lastError: 'HTTP 422',
  })

  const delivered = afterRound(again, { kind: 'delivered', attempts: 4, status: 200 }, NOW, SLOW_INTERVAL_MS)
  expect(delivered).toMatchObject({ state: 'delivered', attempts: 6, lastStatus: 200 })
  expect(delivered).not.toHaveProperty('lastError')
})

test.each<[Delivery['state'], boolean]>([
  ['attempting', false],
  ['waiting', false],
  ['delivered', true],
  ['discarded', true],
])('whether a delivery has ended when it is %s: %s', (state, ended) => {
  expect(hasEnded({ ...newDelivery('EMS'), state })).toBe(ended)
})
