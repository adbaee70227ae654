import { setImmediate } from 'node:timers/promises'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, expect, test, vi } from 'vitest'
import {
  createFirstAttemptsOfGroup,
  type GroupAttempts,
} from '../../src/activities/first-attempts-of-group.js'
import type { FirstOutcome } from '../../src/activities/first-attempts.js'
import type { SyncEvent } from '../../src/domain/event.js'
import { recordingLogger } from '../support/recording-logger.js'

const ACCEPTED_AT = '2026-01-01T00:00:00.000Z'

afterEach(() => void vi.useRealTimers())

test('an event with more deliveries than a group makes is left to its own workflow, and the others are not', async () => {
  const { outcomes, subscribers, attempts } = await attemptAll(['small', 'large', 'small', 'small'], {
    small: namesOf(100),
    large: namesOf(3_901),
  })

  expect(outcomes[0]).toEqual({ kind: 'delivered', statuses: [200] })
  expect(outcomes[1]).toEqual({ kind: 'unfinished', dataHash: expect.stringMatching(/^sha256:/) })
  expect(outcomes.slice(2)).toEqual([outcomes[0], outcomes[0]])
  expect(attempts).toBe(300)
  // Names that nobody asks for would only fill the payload.
  expect(Object.keys(subscribers)).toEqual(['small'])
})

test('a group makes as many deliveries as it may, and leaves what is over', async () => {
  const { outcomes, attempts } = await attemptAll(Array(41).fill('policy'), { policy: namesOf(100) })

  expect(outcomes.map(({ kind }) => kind)).toEqual([...Array(40).fill('delivered'), 'unfinished'])
  expect(attempts).toBe(4_000)
})

test('an event without endpoints is delivered to all of them', async () => {
  const { outcomes, subscribers } = await attemptAll(['none'], { none: [] })

  expect(outcomes).toEqual([{ kind: 'delivered', statuses: [] }])
  expect(subscribers).toEqual({ none: [] })
})

test('the statuses of one event stand for its endpoints in their order', async () => {
  const { outcomes } = await attemptAll(['policy'], { policy: ['a', 'b'] }, ({ endpoint }) =>
    Promise.resolve(deliveredWith(endpoint === 'a' ? 200 : 202)),
  )

  expect(outcomes).toEqual([{ kind: 'delivered', statuses: [200, 202] }])
})

test('an endpoint that is slow takes nothing from the others, and what it does not get in time is left', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
  const made = attemptAll(Array(200).fill('policy'), { policy: ['quick', 'slow'] }, async ({ endpoint }) => {
    if (endpoint === 'slow') await new Promise((resolve) => setTimeout(resolve, 600))
    return deliveredWith(200)
  })
  await vi.advanceTimersByTimeAsync(1_200)

  // 20 at the same time, and others for as long as one may begin.
  const { outcomes, attempts } = await made
  expect(outcomes.map(({ kind }) => kind)).toEqual([
    ...Array(40).fill('delivered'),
    ...Array(160).fill('unfinished'),
  ])
  expect(outcomes[199]).toMatchObject({
    deliveries: [
      { endpoint: 'quick', state: 'delivered', attempts: 1 },
      { endpoint: 'slow', state: 'attempting', attempts: 0 },
    ],
  })
  expect(attempts).toBe(240)
})

test('an attempt without an outcome is logged and left, and the others are made', async () => {
  const { logger, lines } = recordingLogger()
  const { outcomes } = await attemptAll(
    ['policy'],
    { policy: ['broken', 'healthy'] },
    ({ endpoint }) =>
      endpoint === 'broken' ? Promise.reject(new Error('no key')) : Promise.resolve(deliveredWith(200)),
    { logger },
  )

  expect(outcomes).toMatchObject([
    {
      deliveries: [
        { endpoint: 'broken', state: 'attempting', attempts: 0 },
        { endpoint: 'healthy', state: 'delivered' },
      ],
    },
  ])
  expect(lines.join('')).toContain('no key')
})

test('an endpoint that was slow is tried with one event, and gets the others after it', async () => {
  const calls: string[] = []
  const { outcomes } = await attemptAll(
    ['policy', 'policy', 'policy'],
    { policy: ['Slow'] },
    async ({ event }, isTrial) => {
      calls.push(`${event.id} begins${isTrial === true ? ' as a trial' : ''}`)
      await setImmediate()
      calls.push(`${event.id} ends`)
      return deliveredWith(200)
    },
    { isQuick: false },
  )

  expect(calls.slice(0, 4)).toEqual(['0 begins as a trial', '0 ends', '1 begins', '2 begins'])
  expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'delivered', 'delivered'])
})

test('a group goes on for as long as an endpoint delivers, and not once it has stopped', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  let made = 0
  const { outcomes, attempts } = await attemptAll(
    Array(400).fill('policy'),
    { policy: ['Steady'] },
    async () => {
      made += 1
      const outcome = made <= 200 ? deliveredWith(200) : ({ kind: 'skipped' } as const)
      vi.advanceTimersByTime(10)
      await setImmediate()
      return outcome
    },
  )

  expect(outcomes.slice(0, 200).every(({ kind }) => kind === 'delivered')).toBe(true)
  expect(attempts).toBeGreaterThan(200)
  expect(attempts).toBeLessThan(350)
})

test('what a group says of its deliveries fits into a payload, with the longest answers and names too', async () => {
  const names = namesOf(20).map((name) => name.padEnd(64, 'x'))
  const { outcomes } = await attemptAll(Array(200).fill('policy'), { policy: names }, () =>
    Promise.resolve({
      kind: 'retry',
      retryInMs: 1_000,
      attempts: 1,
      evidence: [
        { at: ACCEPTED_AT, durationMs: 1_999, status: 503, error: 'HTTP 503', excerpt: '警'.repeat(1_000) },
      ],
    }),
  )

  expect(outcomes.every(({ kind }) => kind === 'unfinished')).toBe(true)
  expect(Buffer.byteLength(JSON.stringify(outcomes))).toBeLessThan(1.5 * 1024 * 1024)
})

/** Makes the first attempts of an event of each type; by default each delivers. */
async function attemptAll(
  types: readonly string[],
  subscribed: Record<string, string[]>,
  deliverFirst: (
    input: { endpoint: string; event: SyncEvent },
    isTrial: boolean | undefined,
  ) => Promise<FirstOutcome> = () => Promise.resolve(deliveredWith(200)),
  { logger = recordingLogger().logger, isQuick = true } = {},
): Promise<GroupAttempts & { attempts: number }> {
  let attempts = 0
  const endpoints = {
    subscribers: (type: string) => Promise.resolve(subscribed[type]!),
    get: () => Promise.resolve(undefined),
    getLatest: () => Promise.resolve(undefined),
    wasRemoved: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  }
  const firstAttemptsOfGroup = createFirstAttemptsOfGroup(
    { endpoints, health: { isQuick: () => isQuick }, logger },
    (input, _signal, isTrial) => {
      attempts += 1
      return deliverFirst(input, isTrial)
    },
  )
  const events = types.map((type, index) => ({ type, id: `${index}`, time: ACCEPTED_AT, data: {} }))
  const made: GroupAttempts = await new MockActivityEnvironment().run(firstAttemptsOfGroup, {
    events,
    acceptedAt: ACCEPTED_AT,
  })
  return { ...made, attempts }
}

function deliveredWith(status: number): FirstOutcome {
  return { kind: 'delivered', attempts: 1, evidence: [{ at: ACCEPTED_AT, durationMs: 5, status }] }
}

function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `Endpoint-${number}`)
}
