import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WorkerPace } from '../../src/client/worker-pace.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('an emitter goes on as soon as the worker has begun with what it started', async () => {
  const pace = new WorkerPace()
  const begun = pace.begun('policy.approved/1', 1_000)

  pace.hasBegun('policy.approved/2')
  expect(await isSettled(begun)).toBe(false)
  pace.hasBegun('policy.approved/1')

  expect(await isSettled(begun)).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test('a worker that was quicker than the answer of Temporal keeps nobody waiting, once', async () => {
  const pace = new WorkerPace()
  pace.hasBegun('policy.approved/1')

  expect(await isSettled(pace.begun('policy.approved/1', 1_000))).toBe(true)
  expect(await isSettled(pace.begun('policy.approved/1', 1_000))).toBe(false)
})

test('a worker that does not begin keeps an emitter waiting for so long and no longer', async () => {
  const begun = new WorkerPace().begun('policy.approved/1', 1_000)

  await vi.advanceTimersByTimeAsync(999)
  expect(await isSettled(begun)).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await isSettled(begun)).toBe(true)
})

test('what was started elsewhere is forgotten, the oldest first', async () => {
  const pace = new WorkerPace()
  for (let number = 0; number <= 1_000; number += 1) pace.hasBegun(`policy.approved/${number}`)

  expect(await isSettled(pace.begun('policy.approved/0', 1_000))).toBe(false)
  expect(await isSettled(pace.begun('policy.approved/1', 1_000))).toBe(true)
})

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false
  void promise.then(() => (settled = true))
  await vi.advanceTimersByTimeAsync(0)
  return settled
}
