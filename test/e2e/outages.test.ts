import { expect, test, vi } from 'vitest'
import type { Receipt } from '../../src/client.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { RELEASE_ENDPOINT_WORKFLOW } from '../../src/workflows/messages.js'
import { createEnvironment } from '../support/environment.js'
import { waitForDeliveries } from '../support/waiting.js'

const COUNT = 60

vi.setConfig({ testTimeout: 180_000 })

test('what waits for an endpoint that is down costs few attempts, and goes on soon after it is back', async () => {
  await using environment = await createEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(503)
  const name = `EMS-${crypto.randomUUID()}`
  await syncService.registerEndpoint(name, { url: receiver.url })
  const early = await Promise.all([1, 2, 3].map((number) => syncService.emit('policy.approved', { number })))
  await untilDown(environment, name)

  const attemptsBefore = receiver.requests.length
  const startedAt = Date.now()
  const receipts: Receipt[] = []
  for (let number = 1; number <= COUNT; number += 1)
    receipts.push(await syncService.emit('policy.approved', { number }))
  await waitingOn(environment, name, COUNT)
  // One every three seconds, and those whose round began before the outage was seen.
  expect(receiver.requests.length - attemptsBefore).toBeLessThan((Date.now() - startedAt) / 3_000 + 10)
  // Those of before are among as many as wait: the last ones may still be on their way. One may be a probe.
  const last = await Promise.all(
    receipts
      .slice(-10)
      .map((receipt) => waitForDeliveries(syncService, receipt, [{ state: 'waiting', reason: 'down' }])),
  )
  expect(last.flat().map(({ attempts }) => attempts)).toContain(0)

  const failed = receiver.requests.length
  receiver.respondWith(200)
  const backAt = Date.now()
  const ended = await Promise.all(
    [...early, ...receipts].map((receipt) => environment.waitForDeliveries(receipt)),
  )

  expect(ended.flat().map(({ state }) => state)).toEqual(Array(COUNT + 3).fill('delivered'))
  expect(Date.now() - backAt).toBeLessThan(45_000)
  const order = receiver.requests.slice(failed).map(({ headers }) => headers['webhook-id'])
  expect(new Set(order).size).toBe(order.length)
  const placeOf = (part: typeof receipts): number =>
    part.reduce((sum, { eventId }) => sum + order.indexOf(eventId), 0) / part.length
  expect(placeOf(receipts.slice(0, 20))).toBeLessThan(placeOf(receipts.slice(-20)))
})

test('should a release be lost, each delivery goes on by itself', async () => {
  await using environment = await createEnvironment()
  const { syncService, taskQueue, temporal } = environment
  const receiver = await environment.startReceiver(503)
  const name = `EMS-${crypto.randomUUID()}`
  const retry = { maximumIntervalMs: 2_000 }
  await syncService.registerEndpoint(name, { url: receiver.url, retry })
  // What has the release's id is never carried out.
  const lost = await temporal.client.workflow.start(RELEASE_ENDPOINT_WORKFLOW, {
    workflowId: `release:${taskQueue}:${name}`,
    taskQueue: `${taskQueue}-without-a-worker`,
    args: [name],
  })
  const receipts = await Promise.all(
    Array.from({ length: 5 }, (_, number) => syncService.emit('policy.approved', { number })),
  )
  await waitingOn(environment, name, 4)

  receiver.respondWith(200)

  const ended = await Promise.all(receipts.map((receipt) => environment.waitForDeliveries(receipt)))
  expect(ended.flat().map(({ state }) => state)).toEqual(Array(5).fill('delivered'))
  await lost.terminate()
})

test('a delivery that waits as long as its receiver asked is not sent before, though the endpoint is up', async () => {
  await using environment = await createEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(
    (_, response) => void response.writeHead(429, { 'retry-after': '900' }).end(),
    200,
  )
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const asked = await syncService.emit('policy.approved', { number: 1 })
  const [delivery] = await waitForDeliveries(syncService, asked, [{ state: 'waiting', reason: 'down' }])
  expect(delivery?.notBefore).toBe(delivery?.nextRetryAt)
  expect(Date.parse(delivery?.notBefore ?? '') - Date.now()).toBeGreaterThan(800_000)

  await environment.waitForDeliveries(await syncService.emit('policy.approved', { number: 2 }))
  const handle = environment.temporal.client.workflow.getHandle(asked.workflowId)
  await handle.signal('release', { endpoint: 'EMS', version: delivery?.endpointVersion, recovered: true })

  await waitForDeliveries(syncService, asked, [{ state: 'waiting', attempts: 1 }])
  await syncService.retryDelivery('policy.approved', asked.eventId, 'EMS')
  expect(await environment.waitForDeliveries(asked)).toMatchObject([{ state: 'delivered', attempts: 2 }])
})

test('a hanging endpoint holds its own share of slots, and delays no other', async () => {
  await using environment = await createEnvironment()
  const { syncService } = environment
  let open = 0
  let mostOpen = 0
  let mostAtFirst = 0
  let firstAt = Infinity
  const hanging = await environment.startReceiver((_, response) => {
    open += 1
    mostOpen = Math.max(mostOpen, open)
    firstAt = Math.min(firstAt, Date.now())
    // The first five are given up after two seconds, of which this may hear after it has the next five.
    if (Date.now() - firstAt < 1_000) mostAtFirst = mostOpen
    response.once('close', () => (open -= 1))
  })
  const failing = await environment.startReceiver(503, 200)
  const settings = { url: hanging.url, attemptTimeoutMs: 60_000, maxConcurrentAttempts: 5 }
  await syncService.registerEndpoint('Hanging', { ...settings, events: ['hanging.*'] })
  await syncService.registerEndpoint('Failing', { url: failing.url, events: ['failing.*'] })
  await Promise.all(Array.from({ length: 120 }, (_, number) => syncService.emit('hanging.event', { number })))
  await hanging.waitForRequests(5)

  const startedAt = Date.now()
  const receipt = await syncService.emit('failing.event', {})
  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 2 }])

  expect(Date.now() - startedAt).toBeLessThan(45_000)
  expect(mostAtFirst).toBeLessThanOrEqual(5)
  expect(mostOpen).toBeGreaterThanOrEqual(5)
  expect(mostOpen).toBeLessThanOrEqual(10)
})

/** Waits until a delivery waits as `down`, as the search shows it. */
function untilDown(environment: SyncTestEnvironment, endpoint: string): Promise<void> {
  return waitingOn(environment, endpoint, 1)
}

function waitingOn({ temporal }: SyncTestEnvironment, endpoint: string, count: number): Promise<void> {
  const query = `SyncWaitingOn = "${endpoint}"`
  return vi.waitFor(
    async () => {
      expect((await temporal.client.workflow.count(query)).count).toBeGreaterThanOrEqual(count)
    },
    { timeout: 100_000, interval: 200 },
  )
}
