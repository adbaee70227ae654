import { expect, test } from 'vitest'
import { newDelivery, type Delivery } from '../../src/domain/delivery.js'
import { fitEvidence } from '../../src/domain/fit-evidence.js'

const deliveries: Delivery[] = Array.from({ length: 20 }, (_, number) => ({
  ...newDelivery(`Endpoint-${number}`),
  evidence: Array.from({ length: 10 }, () => ({
    at: '2026-01-01T00:00:00.000Z',
    durationMs: 12,
    status: 503,
    error: 'HTTP 503',
    excerpt: 'x'.repeat(1_000),
  })),
}))

test('evidence that fits is kept whole', () => {
  expect(fitEvidence(deliveries)).toEqual(deliveries)
})

test('evidence that does not fit loses its excerpts, then its earlier attempts, and no delivery is left out', () => {
  for (const [maxCharacters, evidence] of [
    [100_000, { length: 10 }],
    [10_000, { length: 1 }],
    [2_000, undefined],
  ] as const) {
    const fitted = fitEvidence(deliveries, maxCharacters)

    expect(JSON.stringify(fitted).length).toBeLessThanOrEqual(maxCharacters)
    expect(fitted.map(({ endpoint }) => endpoint)).toEqual(deliveries.map(({ endpoint }) => endpoint))
    expect(fitted[0]?.evidence?.length).toBe(evidence?.length)
    expect(JSON.stringify(fitted)).not.toContain('xxx')
  }
})
