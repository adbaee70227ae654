import { beforeEach, expect, test } from 'vitest'
import { makeAttempt, type DeliverInput } from '../../src/activities/attempt.js'
import { NO_PROGRESS, type AttemptOutcome, type RoundProgress } from '../../src/domain/delivery.js'
import type { Endpoint } from '../../src/domain/endpoint.js'
import type { Respond } from '../../src/testing/receiver.js'
import {
  endpointWith,
  openReceiver,
  policyApproved,
  withResolvers,
  workerParts,
} from '../support/attempts.js'
import { pass, stopClock } from '../support/clock.js'

const MINUTE_MS = 60_000

beforeEach(() => stopClock(new Date('2026-01-01T00:00:00Z')))

/** A worker's attempts to one endpoint, without jitter, at a time that the test sets. */
async function openWorker(settings: Partial<Endpoint> = {}, ...responses: Respond[]) {
  const receiver = await openReceiver(...responses)
  const endpoint = endpointWith({ url: receiver.url, ...settings })
  const recoveries: string[] = []
  const dependencies = {
    ...workerParts(endpoint),
    onRecovery: ({ name }: Endpoint) => void recoveries.push(name),
  }
  const attempt = (
    input: Partial<DeliverInput> = {},
    before: RoundProgress = NO_PROGRESS,
  ): Promise<AttemptOutcome> =>
    makeAttempt(
      dependencies,
      {
        endpoint: endpoint.name,
        event: policyApproved,
        acceptedAt: '2026-01-01T00:00:00Z',
        earlierAttempts: 0,
        ...input,
      },
      before,
      { signal: new AbortController().signal },
    )
  return {
    endpoint,
    receiver,
    limiter: dependencies.limiter,
    recoveries,
    attempt,
    goDown: async () => {
      for (let failures = 1; failures <= 5; failures += 1) {
        await attempt()
        pass(2_500)
      }
    },
  }
}

test('a round ends when its next attempt would come more than five minutes after its first', async () => {
  const { attempt } = await openWorker({}, 503)
  const pace = { startedAt: Date.now() }
  const before = { attempts: 9, evidence: [], pace }

  pass(4 * MINUTE_MS)
  expect(await attempt({}, before)).toMatchObject({ kind: 'retry', retryInMs: MINUTE_MS, pace })
  pass(1)
  expect(await attempt({}, before)).toMatchObject({
    kind: 'waiting',
    reason: 'down',
    retryInMs: MINUTE_MS,
    endpointVersion: 'v1',
    attempts: 10,
  })
})

test('a receiver that asks for a longer wait than a round gets it, and one that asks for less too', async () => {
  const { attempt, receiver } = await openWorker({}, (_, response) => {
    response.writeHead(503, { 'retry-after': '600' }).end()
  })

  expect(await attempt()).toMatchObject({
    kind: 'waiting',
    reason: 'down',
    retryInMs: 10 * MINUTE_MS,
    isAsked: true,
  })
  receiver.respondWith((_, response) => void response.writeHead(503, { 'retry-after': '300' }).end())
  expect(await attempt()).toMatchObject({ kind: 'retry', retryInMs: 5 * MINUTE_MS })
})

test('while an endpoint is down one delivery in three seconds makes an attempt, and the others wait', async () => {
  const { attempt, receiver, goDown } = await openWorker({}, 503)
  await goDown()

  const outcomes: AttemptOutcome[] = []
  for (let tries = 1; tries <= 300; tries += 1) {
    outcomes.push(await attempt())
    pass(100)
  }

  expect(receiver.requests.length - 5).toBeOneOf([10, 11])
  const waiting = outcomes.filter(({ kind }) => kind === 'waiting')
  expect(waiting.length).toBe(300 - (receiver.requests.length - 5))
  expect(waiting[0]).toMatchObject({ reason: 'down', attempts: 0, evidence: [], retryInMs: MINUTE_MS })
  expect(waiting.at(-1)).toMatchObject({ retryInMs: expect.toSatisfy((ms: number) => ms > 13 * MINUTE_MS) })
})

test('when an endpoint begins to hang its deliveries wait, but for ten that look for its recovery', async () => {
  const { attempt, receiver } = await openWorker()
  expect(await attempt()).toMatchObject({ kind: 'delivered' })
  const hanging = withResolvers()
  receiver.respondWith(async (_, response) => {
    await hanging.promise
    response.writeHead(503).end()
  })
  pass(1)
  const hung = Array.from({ length: 30 }, () => attempt())
  await receiver.waitForRequests(31)
  pass(249)
  hung.push(attempt())
  await receiver.waitForRequests(32)
  pass(1)

  expect(await attempt()).toMatchObject({ kind: 'waiting', reason: 'down', attempts: 0 })
  expect(receiver.requests).toHaveLength(32)

  hanging.resolve()
  const outcomes = await Promise.all(hung)
  const waiting = outcomes.filter((outcome) => outcome.kind === 'waiting')
  expect(waiting).toHaveLength(21)
  for (const outcome of waiting) expect(outcome).toMatchObject({ reason: 'down', attempts: 1 })
  expect(outcomes.filter(({ kind }) => kind === 'retry')).toHaveLength(10)
})

test('an attempt that an operator wants is made although the endpoint is down', async () => {
  const { attempt, receiver, goDown } = await openWorker({}, 503)
  await goDown()
  await attempt()

  expect(await attempt()).toMatchObject({ kind: 'waiting', attempts: 0 })
  expect(await attempt({ isWanted: true })).toMatchObject({ attempts: 1 })
  expect(receiver.requests).toHaveLength(7)
})

test('a delivery that its own timer wakes makes one attempt and waits again', async () => {
  const { attempt } = await openWorker({}, 503)

  expect(await attempt({ wokenBy: 'timer' })).toMatchObject({ kind: 'waiting', reason: 'down', attempts: 1 })
  expect(await attempt({ wokenBy: 'release' })).toMatchObject({ kind: 'retry' })
})

test('a wait is never longer than until the delivery expires', async () => {
  const { attempt } = await openWorker({ retry: { expireAfterMs: 30_000 } }, 503)

  expect(await attempt({ wokenBy: 'timer' })).toMatchObject({ kind: 'waiting', retryInMs: 31_000 })
})

test('the first success after an outage says that the endpoint is back, where deliveries wait', async () => {
  const { attempt, receiver, recoveries, goDown } = await openWorker({}, 503)
  await goDown()
  await attempt()
  await attempt()
  receiver.respondWith(200)

  pass(3_000)
  expect(await attempt()).toMatchObject({ kind: 'delivered' })
  expect(await attempt()).toMatchObject({ kind: 'delivered' })

  expect(recoveries).toEqual(['EMS-Scheduler'])
})

test('a failure that a retry cures says nothing', async () => {
  const { attempt, recoveries } = await openWorker({}, 503, 200)

  await attempt()
  await attempt()

  expect(recoveries).toEqual([])
})

test('thousands of deliveries behind wrong settings are retried one after the other', async () => {
  const { attempt } = await openWorker({}, 401)

  const outcomes = [await attempt(), await attempt(), await attempt()]

  expect(outcomes.map((outcome) => outcome.kind === 'waiting' && outcome.retryInMs)).toEqual(
    [0, 3_000, 6_000].map((ms) => 15 * MINUTE_MS + ms),
  )
})

test('an attempt at the limit of concurrent attempts waits longer each time, and makes no request', async () => {
  const { attempt, limiter, receiver, endpoint } = await openWorker({ maxConcurrentAttempts: 1 })
  const giveBack = limiter.tryAcquire(endpoint.name, 1)

  const first = await attempt()
  expect(first).toMatchObject({ kind: 'retry', retryInMs: 1_000, attempts: 0, pace: { timesAtLimit: 1 } })
  const second = await attempt({}, first)
  expect(second).toMatchObject({ kind: 'retry', retryInMs: 2_000, pace: { timesAtLimit: 2 } })
  giveBack?.()
  expect(await attempt({}, second)).toMatchObject({ kind: 'delivered', attempts: 1 })
  expect(receiver.requests).toHaveLength(1)
})

test('an endpoint without a limit gets a hundred attempts at the same time', async () => {
  const { attempt, limiter, endpoint } = await openWorker()
  await attempt()
  for (let taken = 1; taken <= 99; taken += 1) limiter.tryAcquire(endpoint.name, 100)

  expect(await attempt()).toMatchObject({ kind: 'delivered' })
  limiter.tryAcquire(endpoint.name, 100)
  expect(await attempt()).toMatchObject({ kind: 'retry', attempts: 0 })
})

test('an attempt beyond the rate limit is given a turn, and is made when it comes', async () => {
  const { attempt, receiver } = await openWorker({ maxAttemptsPerSecond: 2 })
  await attempt()

  const second = await attempt()
  const third = await attempt()
  expect([second, third]).toMatchObject([
    { kind: 'retry', retryInMs: 500, attempts: 0 },
    { kind: 'retry', retryInMs: 1_000, attempts: 0 },
  ])
  pass(500)
  expect(await attempt({}, second)).toMatchObject({ kind: 'delivered' })
  expect(await attempt({}, third)).toMatchObject({ kind: 'retry', retryInMs: 500 })
  pass(500)
  expect(await attempt({}, third)).toMatchObject({ kind: 'delivered' })
  expect(receiver.requests).toHaveLength(3)
})
