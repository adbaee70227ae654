import { expect, test, vi } from 'vitest'
import { DeliveredBefore } from '../../src/activities/delivered-before.js'
import type { FirstOutcome } from '../../src/activities/first-attempts.js'

const DELIVERED: FirstOutcome = { kind: 'delivered', attempts: 1, evidence: [] }
const RETRY: FirstOutcome = { kind: 'retry', attempts: 1, evidence: [], retryInMs: 1_000 }

test('what was delivered is not attempted again, whatever others come to', async () => {
  const before = new DeliveredBefore()
  const attempt = vi.fn<() => Promise<FirstOutcome>>().mockResolvedValue(DELIVERED)

  expect(await before.or({ runId: 'run-1' }, 'EMS', attempt)).toBe(DELIVERED)
  expect(await before.or({ runId: 'run-1' }, 'EMS', attempt)).toBe(DELIVERED)
  expect(attempt).toHaveBeenCalledTimes(1)

  await before.or({ runId: 'run-1' }, 'Hospital', attempt)
  await before.or({ runId: 'run-2' }, 'EMS', attempt)
  expect(attempt).toHaveBeenCalledTimes(3)
})

test('what was not delivered is attempted again', async () => {
  const before = new DeliveredBefore()
  const attempt = vi
    .fn<() => Promise<FirstOutcome>>()
    .mockRejectedValueOnce(new Error('the store is away'))
    .mockResolvedValueOnce(RETRY)
    .mockResolvedValueOnce(DELIVERED)

  await expect(before.or({ runId: 'run-1' }, 'EMS', attempt)).rejects.toThrow('away')
  expect(await before.or({ runId: 'run-1' }, 'EMS', attempt)).toBe(RETRY)
  expect(await before.or({ runId: 'run-1' }, 'EMS', attempt)).toBe(DELIVERED)
})

test('the latest ten thousand are remembered', async () => {
  const before = new DeliveredBefore()
  const attempt = vi.fn<() => Promise<FirstOutcome>>().mockResolvedValue(DELIVERED)
  for (let number = 0; number <= 10_000; number += 1) await before.or({ runId: `${number}` }, 'EMS', attempt)
  attempt.mockClear()

  await before.or({ runId: '1' }, 'EMS', attempt)
  expect(attempt).not.toHaveBeenCalled()
  await before.or({ runId: '0' }, 'EMS', attempt)
  expect(attempt).toHaveBeenCalledTimes(1)
})
