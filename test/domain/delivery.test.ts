import { expect, test } from 'vitest'
import {
  afterRound,
  attempting,
  discarded,
  hasEnded,
  MAX_EVIDENCE,
  newDelivery,
  withProgress,
  type AttemptEvidence,
  type Delivery,
} from '../../src/domain/delivery.js'

const NOW = new Date('2026-01-01T00:00:00Z')

test('a new delivery is attempting and has made no attempt', () => {
  expect(newDelivery('EMS')).toEqual({ endpoint: 'EMS', state: 'attempting', attempts: 0 })
})

test('a round that delivers ends the delivery', () => {
  const evidence = [answer(204)]

  expect(afterRound(newDelivery('EMS'), { kind: 'delivered', attempts: 3, evidence }, NOW)).toEqual({
    endpoint: 'EMS',
    state: 'delivered',
    attempts: 3,
    lastStatus: 204,
    evidence,
    endedAt: '2026-01-01T00:00:00.000Z',
  })
})

test('a round that cannot be cured soon leaves the delivery waiting, with the reason and the next time', () => {
  const round = {
    kind: 'waiting',
    reason: 'misconfigured',
    retryInMs: 900_000,
    endpointVersion: 'v1',
    attempts: 1,
    evidence: [answer(404)],
  } as const

  expect(afterRound(newDelivery('EMS'), { ...round, evidence: [answer(404)] }, NOW)).toEqual({
    endpoint: 'EMS',
    state: 'waiting',
    reason: 'misconfigured',
    attempts: 1,
    lastStatus: 404,
    lastError: 'HTTP 404',
    evidence: [answer(404)],
    endpointVersion: 'v1',
    nextRetryAt: '2026-01-01T00:15:00.000Z',
  })
})

test('a single attempt that failed leaves the delivery attempting, with the next time', () => {
  const retry = { kind: 'retry', retryInMs: 1_000, attempts: 1, evidence: [answer(503)] } as const

  expect(afterRound(newDelivery('EMS'), { ...retry, evidence: [answer(503)] }, NOW)).toMatchObject({
    state: 'attempting',
    attempts: 1,
    lastStatus: 503,
    nextRetryAt: '2026-01-01T00:00:01.000Z',
  })
})

test('a delivery that is discarded says why', () => {
  const round = { kind: 'discarded', reason: 'the endpoint was removed', attempts: 0, evidence: [] } as const
  const expected = {
    endpoint: 'EMS',
    state: 'discarded',
    reason: 'the endpoint was removed',
    attempts: 0,
    endedAt: '2026-01-01T00:00:00.000Z',
  }

  expect(afterRound(newDelivery('EMS'), { ...round, evidence: [] }, NOW)).toEqual(expected)
  expect(discarded(newDelivery('EMS'), 'the endpoint was removed', NOW)).toEqual(expected)
})

test('attempts add up over rounds, and what went wrong before is forgotten once it is delivered', () => {
  const waiting = afterRound(
    newDelivery('EMS'),
    { kind: 'waiting', reason: 'rejected', retryInMs: 1_000, attempts: 2, evidence: [answer(422)] },
    NOW,
  )
  const again = attempting(waiting)
  expect(again).toEqual({
    endpoint: 'EMS',
    state: 'attempting',
    attempts: 2,
    lastStatus: 422,
    lastError: 'HTTP 422',
    evidence: [answer(422)],
  })

  const delivered = afterRound(again, { kind: 'delivered', attempts: 4, evidence: [answer(200)] }, NOW)
  expect(delivered).toMatchObject({ state: 'delivered', attempts: 6, lastStatus: 200 })
  expect(delivered).not.toHaveProperty('lastError')
  expect(delivered.evidence).toEqual([answer(422), answer(200)])
})

test('a round that was interrupted leaves the delivery attempting, and its attempts count', () => {
  const round = { kind: 'interrupted', attempts: 3, evidence: [answer(503)] } as const

  expect(afterRound(newDelivery('EMS'), { ...round, evidence: [answer(503)] }, NOW)).toMatchObject({
    state: 'attempting',
    attempts: 3,
    lastStatus: 503,
  })
})

test('the last status is that of the last attempt that got an answer', () => {
  const refused: AttemptEvidence = { at: NOW.toISOString(), durationMs: 1, error: 'ECONNREFUSED: …' }

  expect(withProgress(newDelivery('EMS'), { attempts: 2, evidence: [answer(503), refused] })).toMatchObject({
    lastStatus: 503,
    lastError: 'ECONNREFUSED: …',
  })
})

test('only the last attempts are kept as evidence', () => {
  const many = Array.from({ length: MAX_EVIDENCE + 5 }, (_, number) => answer(500 + number))

  const { evidence, attempts } = withProgress(newDelivery('EMS'), { attempts: many.length, evidence: many })

  expect(attempts).toBe(MAX_EVIDENCE + 5)
  expect(evidence).toEqual(many.slice(-MAX_EVIDENCE))
})

test.each<[Delivery['state'], boolean]>([
  ['attempting', false],
  ['waiting', false],
  ['delivered', true],
  ['discarded', true],
])('whether a delivery has ended when it is %s: %s', (state, ended) => {
  expect(hasEnded({ ...newDelivery('EMS'), state })).toBe(ended)
})

function answer(status: number): AttemptEvidence {
  return {
    at: NOW.toISOString(),
    durationMs: 12,
    status,
    ...((status < 200 || status >= 300) && { error: `HTTP ${status}` }),
  }
}
