import { expect, test, vi } from 'vitest'
import { releaseSignal } from '../../src/workflows/messages.js'
import { openEnvironment } from '../support/environment.js'
import { waitUntilWaiting } from '../support/waiting.js'

test('a paused endpoint has its events kept and gets them when it is resumed', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  await syncService.pauseEndpoint('EMS')
  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'paused')
  expect(receiver.requests).toHaveLength(0)

  await syncService.resumeEndpoint('EMS')

  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 1 }])
})

test.each([
  { which: 'first', isPaused: false },
  { which: 'resumed', isPaused: true },
])('a signal that comes while the $which attempt is made has nothing sent twice', async ({ isPaused }) => {
  const environment = await openEnvironment()
  const { syncService, temporal } = environment
  const receiver = await environment.startReceiver()
  const id = crypto.randomUUID()
  const workflow = temporal.client.workflow.getHandle(`policy.approved/${id}`)
  receiver.respondWith(async (_, response) => {
    receiver.respondWith(200)
    await workflow.signal(releaseSignal, { endpoint: 'EMS', version: undefined })
    response.end()
  })
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  if (isPaused) await syncService.pauseEndpoint('EMS')
  const receipt = await syncService.emit('policy.approved', {}, { id })
  if (isPaused) {
    await waitUntilWaiting(environment, receipt, 'paused')
    await syncService.resumeEndpoint('EMS')
  }

  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 1 }])
  const { events } = await workflow.fetchHistory()
  expect(events?.map(({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message)).toContain(
    'UnhandledCommand',
  )
  expect(receiver.requests).toHaveLength(1)
})

test('an endpoint for which deliveries wait is removed only when they may be discarded', async () => {
  const environment = await openEnvironment()
  const { syncService, temporal } = environment
  const receiver = await environment.startReceiver(404)
  const name = `EMS-${crypto.randomUUID()}`
  await syncService.registerEndpoint(name, { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'misconfigured')
  await vi.waitFor(
    async () => {
      const { count } = await temporal.client.workflow.count(`SyncWaitingOn = "${name}"`)
      expect(count).toBe(1)
    },
    { timeout: 20_000 },
  )

  await expect(syncService.removeEndpoint(name)).rejects.toMatchObject({
    code: 'ENDPOINT_HAS_WAITING',
    message: expect.stringContaining('1 deliveries'),
  })
  await syncService.removeEndpoint(name, { discardWaiting: true })

  expect(await environment.waitForDeliveries(receipt)).toMatchObject([
    { state: 'discarded', reason: 'the endpoint was removed', attempts: 1 },
  ])
})

test(
  '500 deliveries that wait for an endpoint go on within seconds of its resumption',
  { timeout: 300_000 },
  async ({ annotate }) => {
    const environment = await openEnvironment()
    const { syncService, temporal } = environment
    const receiver = await environment.startReceiver()
    const name = `EMS-${crypto.randomUUID()}`
    await syncService.registerEndpoint(name, { url: receiver.url })
    await syncService.pauseEndpoint(name)
    await Promise.all(
      Array.from({ length: 500 }, (_, number) => syncService.emit('policy.approved', { number })),
    )
    await vi.waitFor(
      async () => {
        const { count } = await temporal.client.workflow.count(`SyncWaitingOn = "${name}"`)
        expect(count).toBe(500)
      },
      { timeout: 200_000, interval: 500 },
    )

    const resumedAt = performance.now()
    await syncService.resumeEndpoint(name)
    await receiver.waitForRequests(500)
    await annotate(`the last one arrived ${Math.round(performance.now() - resumedAt)} ms after the call`)

    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(500)
  },
)

test('a release goes on in another worker when its own stops halfway', { timeout: 120_000 }, async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  await syncService.pauseEndpoint('EMS')
  const receipts = await Promise.all(
    Array.from({ length: 60 }, (_, number) => syncService.emit('policy.approved', { number })),
  )
  for (const receipt of receipts) await waitUntilWaiting(environment, receipt, 'paused')

  await syncService.resumeEndpoint('EMS')
  await receiver.waitForRequests(5)
  await environment.startWorker()

  const ended = await Promise.all(receipts.map((receipt) => environment.waitForDeliveries(receipt)))
  expect(ended.flat().map(({ state }) => state)).toEqual(Array(60).fill('delivered'))
})

test('a delivery that is about to wait when its endpoint is updated goes on at once', async () => {
  const environment = await openEnvironment()
  const { syncService, store } = environment
  const receiver = await environment.startReceiver(async (_, response) => {
    // Nothing is released here: there is nothing that waits yet.
    await store.update('EMS', ({ url }) => ({ url, authToken: 'Bearer right' }))
    response.writeHead(401).end()
  }, 200)
  await syncService.registerEndpoint('EMS', { url: receiver.url, authToken: 'Bearer wrong' })

  const receipt = await syncService.emit('policy.approved', {})

  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 2 }])
})
