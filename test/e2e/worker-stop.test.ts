import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Respond } from '../../src/testing/index.js'
import { emitIn, GROUPINGS } from '../support/grouping.js'
import { openProcesses } from '../support/separate-processes.js'
import { waitForDeliveries } from '../support/waiting.js'

const hang: Respond = () => undefined

const EVENTS = ['policy.approved']

describe.concurrent.for(GROUPINGS)(
  'with grouping %s, an event is delivered',
  { timeout: 120_000 },
  (grouping) => {
    test('after its worker was killed between two attempts', async (context) => {
      const processes = await openProcesses(context)
      const syncService = await processes.connect({ grouping })
      const receiver = await processes.startReceiver(503)
      await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: EVENTS })
      const worker = await processes.startWorker()
      const receipt = await emitIn(grouping, syncService, 'policy.approved', { id: 'SAFETY-7' })
      await waitForDeliveries(syncService, receipt, [{ state: 'attempting', attempts: 2, lastStatus: 503 }])

      expect(await worker.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
      receiver.respondWith(200)
      await processes.startWorker()

      const [delivery] = await waitForDeliveries(syncService, receipt, [{ state: 'delivered' }])
      expect(delivery?.attempts).toBe(receiver.requests.length)
      expect(receiver.requests.at(-1)?.body).toEqual({ event: 'policy.approved', data: { id: 'SAFETY-7' } })
    })

    test.for([
      ['first attempt, as soon as its workflow task is missed', 1],
      ['later attempt, as soon as its heartbeat is missed', 2],
    ] as const)('after its worker was killed during a %s', async ([, attempt], context) => {
      const processes = await openProcesses(context)
      const syncService = await processes.connect({ grouping })
      const receiver = await processes.startReceiver(...(attempt === 1 ? [hang] : [503, hang]))
      await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: EVENTS })
      const worker = await processes.startWorker()
      const receipt = await emitIn(grouping, syncService, 'policy.approved', {})
      await receiver.waitForRequests(attempt)

      await worker.end('SIGKILL')
      receiver.respondWith(200)
      await processes.startWorker()

      await waitForDeliveries(syncService, receipt, [{ state: 'delivered' }])
      const [first, second] = receiver.requests.slice(attempt - 1)
      expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
      // The time limit of an activity is five minutes.
      expect(Number(second?.receivedAt) - Number(first?.receivedAt)).toBeLessThan(60_000)
    })

    test('when no worker ran as it was emitted', async (context) => {
      const processes = await openProcesses(context)
      const syncService = await processes.connect({ grouping })
      const receiver = await processes.startReceiver()
      await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: EVENTS })
      const receipt = await emitIn(grouping, syncService, 'policy.approved', {})

      await processes.startWorker()

      await waitForDeliveries(syncService, receipt, [{ state: 'delivered', attempts: 1 }])
      expect(receiver.requests).toHaveLength(1)
    })
  },
)

test('after its worker was killed during the first attempts of a group, that group alone is sent again', async (context) => {
  const processes = await openProcesses(context)
  const syncService = await processes.connect({ grouping: 'auto' })
  const receiver = await processes.startReceiver()
  await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
  const worker = await processes.startWorker()
  const events = Array.from({ length: 20 }, (_, number) => ({ type: 'policy.approved', data: { number } }))
  const before = await syncService.emitMany(events)
  for (const receipt of before) {
    await waitForDeliveries(syncService, { ...receipt, eventType: 'policy.approved' }, [
      { state: 'delivered' },
    ])
  }
  receiver.respondWith(200, 200, 200, 200, 200, hang)

  const during = await syncService.emitMany(events)
  const after = await syncService.emitMany(events)
  await receiver.waitForRequests(20 + 6)
  await worker.end('SIGKILL')
  receiver.respondWith(200)
  await processes.startWorker()

  for (const receipt of [...during, ...after]) {
    await waitForDeliveries(syncService, { ...receipt, eventType: 'policy.approved' }, [
      { state: 'delivered' },
    ])
  }
  const counts = (receipts: readonly { eventId: string }[]): number[] =>
    receipts.map(
      ({ eventId }) => receiver.requests.filter(({ headers }) => headers['webhook-id'] === eventId).length,
    )
  expect(new Set(counts(before))).toEqual(new Set([1]))
  expect(Math.max(...counts([...during, ...after]))).toBe(2)
  expect(Math.min(...counts([...during, ...after]))).toBeGreaterThanOrEqual(1)
}, 120_000)

describe.concurrent.for(GROUPINGS)(
  'with grouping %s, a worker that is told to stop during an attempt',
  { timeout: 120_000 },
  (grouping) => {
    test('lets the attempt finish and exits with 0', async (context) => {
      const processes = await openProcesses(context)
      const syncService = await processes.connect({ grouping })
      let unanswered: ServerResponse | undefined
      const receiver = await processes.startReceiver((_, response) => void (unanswered = response))
      await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: EVENTS })
      const worker = await processes.startWorker()
      const receipt = await emitIn(grouping, syncService, 'policy.approved', {})
      await receiver.waitForRequests(1)

      const ended = worker.end('SIGTERM')
      await worker.waitForOutput('DRAINING')
      unanswered?.writeHead(200).end()

      expect(await ended).toEqual({ code: 0, signal: null })
      await processes.startWorker()
      await waitForDeliveries(syncService, receipt, [{ state: 'delivered', attempts: 1 }])
      expect(receiver.requests).toHaveLength(1)
    })

    test('hands back the attempt that does not finish, and exits with 0', async (context) => {
      const processes = await openProcesses(context)
      const syncService = await processes.connect({ grouping })
      let cut: Promise<unknown> | undefined
      const receiver = await processes.startReceiver(
        (_, response) => void (cut = once(response, 'close')),
        200,
      )
      await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: EVENTS })
      const worker = await processes.startWorker()
      const receipt = await emitIn(grouping, syncService, 'policy.approved', {})
      await receiver.waitForRequests(1)

      expect(await worker.end('SIGTERM')).toEqual({ code: 0, signal: null })

      await cut
      await processes.startWorker()
      await waitForDeliveries(syncService, receipt, [{ state: 'delivered', attempts: 2 }])
    })
  },
)
