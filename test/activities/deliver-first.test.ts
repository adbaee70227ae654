import { expect, test } from 'vitest'
import { createDeliverFirst } from '../../src/activities/deliver-first.js'
import type { FirstOutcome } from '../../src/activities/first-attempts.js'
import type { Respond } from '../../src/testing/receiver.js'
import {
  endpointWith,
  openReceiver,
  policyApproved,
  withResolvers,
  workerParts,
} from '../support/attempts.js'
import { pass, stopClock } from '../support/clock.js'

/** First attempts of a worker that knows nothing of the endpoint yet. */
async function openFirstAttempts(...responses: Respond[]) {
  const receiver = await openReceiver(...responses)
  const endpoint = endpointWith({ url: receiver.url })
  const parts = workerParts(endpoint)
  const deliverFirst = createDeliverFirst(parts, true)
  const stopped = new AbortController()
  return {
    receiver,
    parts,
    deliver: (count: number, isTrial = false) =>
      Array.from({ length: count }, () =>
        deliverFirst(
          {
            endpoint: endpoint.name,
            event: policyApproved,
            acceptedAt: new Date().toISOString(),
            earlierAttempts: 0,
          },
          stopped.signal,
          isTrial,
        ),
      ),
  }
}

test('until an endpoint answers it gets ten attempts at a time, and the others then', async () => {
  const answer = withResolvers()
  const { receiver, deliver } = await openFirstAttempts()
  receiver.respondWith(async (_, response) => {
    await answer.promise
    response.end()
  })
  const delivering = deliver(40)
  await receiver.waitForRequests(10)
  // Those that wait have had their turns to begin.
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(receiver.requests).toHaveLength(10)

  receiver.respondWith(200)
  answer.resolve()
  const outcomes = await Promise.all(delivering)

  expect(outcomes.map(({ kind }) => kind)).toEqual(Array.from({ length: 40 }, () => 'delivered'))
  expect(receiver.requests).toHaveLength(40)
})

test('where it answers none of them within a second, the others wait, without a request', async () => {
  const { receiver, deliver } = await openFirstAttempts(() => undefined)

  const outcomes = await Promise.all(deliver(30))

  const waiting = outcomes.filter((outcome) => outcome.kind === 'waiting')
  expect(waiting.map(({ reason, attempts }) => ({ reason, attempts }))).toEqual(
    Array.from({ length: 20 }, () => ({ reason: 'down', attempts: 0 })),
  )
  expect(receiver.requests).toHaveLength(10)
})

test('while ten attempts hang, no round is spent on finding out that there is no place for another', async () => {
  const { receiver, deliver } = await openFirstAttempts(() => undefined)
  const delivering = deliver(30)
  await Promise.any(delivering)

  const [outcome] = await Promise.all(deliver(1))

  expect(outcome).toMatchObject({ kind: 'waiting', reason: 'down', attempts: 0 })
  await Promise.all(delivering)
  expect(receiver.requests).toHaveLength(10)
})

test('of the events that come while an endpoint is down, one at a time goes to probe it', async () => {
  stopClock()
  const { deliver } = await openFirstAttempts(503)
  for (let failures = 1; failures <= 5; failures += 1) {
    await Promise.all(deliver(1, true))
    pass(2_500)
  }

  const outcomes = await Promise.all(deliver(20))

  expect(outcomes.filter(({ kind }) => kind === 'skipped')).toHaveLength(1)
  expect(outcomes.filter(({ kind }) => kind === 'waiting')).toHaveLength(19)
})

test('when an endpoint that has answered hangs, at most thirty deliveries hold the worker', async () => {
  stopClock()
  const { receiver, deliver } = await openFirstAttempts()
  await Promise.all(deliver(1))
  receiver.respondWith(() => undefined)
  pass(1)
  const hung = deliver(30)
  await receiver.waitForRequests(31)
  pass(250)

  const [outcome] = await Promise.all(deliver(1))

  expect(outcome).toMatchObject({ kind: 'waiting', reason: 'down', attempts: 0 })
  expect(receiver.requests).toHaveLength(31)
  await Promise.all(hung)
})

test('attempts that hang together do not all end in one moment', async () => {
  const { receiver, parts, deliver } = await openFirstAttempts(() => undefined)
  const ended: string[] = []
  const endsAs = (name: string, delivering: Promise<FirstOutcome>[]): Promise<unknown> =>
    Promise.all(delivering).then(() => ended.push(name))

  parts.random = () => 0.9
  const later = endsAs('later', deliver(1))
  await receiver.waitForRequests(1)
  parts.random = () => 0
  const sooner = endsAs('sooner', deliver(1))
  await Promise.all([later, sooner])

  expect(ended).toEqual(['sooner', 'later'])
})
