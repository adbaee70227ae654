import { expect, test, vi } from 'vitest'
import type { FirstAttempts, FirstAttemptsInput } from '../../src/activities/first-attempts.js'
import { HeadStarts } from '../../src/activities/head-starts.js'
import { collectGarbage } from '../support/collect-garbage.js'

const INPUT: FirstAttemptsInput = {
  event: { type: 'policy.approved', id: '1', time: '2026-11-25T12:00:00.000Z', data: 1 },
  acceptedAt: '2026-11-25T12:00:00.000Z',
}
/** When it was emitted. */
const EMITTED_AT = 1_000
const RUN = { workflowId: 'policy.approved/1', runId: 'run-1' }
const MADE: FirstAttempts = [{ endpoint: 'EMS', outcome: { kind: 'skipped' } }]

test('what the emitter has begun is what the activity takes, once', async () => {
  const { headStarts, make } = open()

  headStarts.begin(INPUT, RUN, EMITTED_AT)

  await expect(headStarts.take(RUN)).resolves.toBe(MADE)
  expect(headStarts.take(RUN)).toBeUndefined()
  expect(make.mock.calls).toEqual([[INPUT, RUN, EMITTED_AT]])
})

test('an activity that is quicker than the emitter makes the attempts itself, and the emitter none', () => {
  const { headStarts, make } = open()

  expect(headStarts.take(RUN)).toBeUndefined()
  headStarts.begin(INPUT, RUN, EMITTED_AT)

  expect(make).not.toHaveBeenCalled()
  expect(headStarts.take(RUN)).toBeUndefined()
})

test('what fails fails the activity, and its next try makes the attempts itself', async () => {
  const { headStarts, make } = open()
  make.mockRejectedValueOnce(new Error('the store is away'))

  headStarts.begin(INPUT, RUN, EMITTED_AT)

  await expect(headStarts.take(RUN)).rejects.toThrow('the store is away')
  expect(headStarts.take(RUN)).toBeUndefined()
})

test('without a worker nothing is begun', () => {
  const headStarts = new HeadStarts()

  headStarts.begin(INPUT, RUN, EMITTED_AT)

  expect(headStarts.take(RUN)).toBeUndefined()
})

test('what no activity asks for is forgotten, the oldest first', () => {
  const { headStarts } = open()
  for (let number = 0; number <= 1_000; number += 1) headStarts.begin(INPUT, runOf(number), EMITTED_AT)

  expect(headStarts.take(runOf(0))).toBeUndefined()
  expect(headStarts.take(runOf(1))).toBeDefined()
})

test('what was taken is held no longer, however many come after it', async () => {
  const { headStarts, make } = open()
  make.mockImplementation(async () => [...MADE])
  const taken: WeakRef<FirstAttempts>[] = []
  for (let number = 0; number < 5_000; number += 1) {
    headStarts.begin(INPUT, runOf(number), EMITTED_AT)
    // The mock holds what it has returned.
    make.mockClear()
    // Others are always under way.
    if (number >= 50) taken.push(new WeakRef((await headStarts.take(runOf(number - 50)))!))
  }

  await expect.poll(() => countHeld(taken)).toBe(0)
  // Without this nothing would hold the head starts themselves, and they would be collected with all of it.
  await expect(headStarts.take(runOf(4_999))).resolves.toEqual(MADE)
})

function countHeld(references: WeakRef<FirstAttempts>[]): number {
  collectGarbage()
  return references.filter((reference) => reference.deref() !== undefined).length
}

function open() {
  const headStarts = new HeadStarts()
  const make = vi.fn(async () => MADE)
  headStarts.makeBy(make)
  return { headStarts, make }
}

function runOf(number: number) {
  return { ...RUN, runId: `run-${number}` }
}
