import { expect, test, vi } from 'vitest'
import type { ReceivedRequest, Receiver } from '../../src/testing/index.js'
import { openEnvironment } from '../support/environment.js'

vi.setConfig({ testTimeout: 180_000 })

test('whoever asks for them is told that an endpoint fails and that it has recovered, once each', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const operations = await environment.startReceiver()
  const ems = await environment.startReceiver(503)
  const everything = await environment.startReceiver()
  await syncService.registerEndpoint('Operations', { url: operations.url, events: ['external-sync.*'] })
  await syncService.registerEndpoint('Everything', { url: everything.url })
  await syncService.registerEndpoint('EMS', {
    url: ems.url,
    retry: { initialIntervalMs: 1_000, maximumIntervalMs: 3_000 },
  })

  const receipts = await Promise.all([1, 2, 3].map((data) => syncService.emit('policy.approved', data)))
  await operations.waitForRequests(1)
  ems.respondWith(200)
  await Promise.all(receipts.map((receipt) => environment.waitForDeliveries(receipt)))
  await operations.waitForRequests(2)

  const [failing, recovered] = operations.requests.map(({ body }) => body)
  expect(failing).toEqual({
    event: 'external-sync.endpoint.failing',
    data: { endpoint: 'EMS', reason: 'down', since: expect.any(String), error: 'HTTP 503' },
  })
  const { since } = (failing as { data: { since: string } }).data
  expect(recovered).toEqual({
    event: 'external-sync.endpoint.recovered',
    data: { endpoint: 'EMS', reason: 'down', since, recoveredAt: expect.any(String) },
  })
  expect(operations.requests).toHaveLength(2)
  expect(typesAt(everything)).toEqual(['policy.approved'])
  await vi.waitFor(async () => expect(await environment.store.outages.list()).toEqual([]))
})

test('an event that is rejected is told of once, however often it is tried', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const operations = await environment.startReceiver()
  const hospital = await environment.startReceiver(422)
  await syncService.registerEndpoint('Operations', {
    url: operations.url,
    events: ['external-sync.delivery.rejected'],
  })
  await syncService.registerEndpoint('Hospital', { url: hospital.url, events: ['policy.*'] })

  const { eventId } = await syncService.emit('policy.approved', 1, { key: 'policy/42' })
  await operations.waitForRequests(1)
  await syncService.retryDelivery('policy.approved', eventId, 'Hospital')
  await hospital.waitForRequests(2)
  await syncService.emit('policy.approved', 2, { id: `${eventId}-next` })
  await operations.waitForRequests(2)

  expect(operations.requests.map(({ body }) => body)).toEqual([
    {
      event: 'external-sync.delivery.rejected',
      data: {
        endpoint: 'Hospital',
        event: { type: 'policy.approved', id: eventId, key: 'policy/42' },
        status: 422,
        error: 'HTTP 422',
      },
    },
    {
      event: 'external-sync.delivery.rejected',
      data: {
        endpoint: 'Hospital',
        event: { type: 'policy.approved', id: `${eventId}-next` },
        status: 422,
        error: 'HTTP 422',
      },
    },
  ])
})

test('that such an event cannot be delivered raises no other', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const operations = await environment.startReceiver(401)
  const hospital = await environment.startReceiver(403)
  await syncService.registerEndpoint('Operations', { url: operations.url, events: ['external-sync.*'] })
  await syncService.registerEndpoint('Hospital', { url: hospital.url, events: ['policy.*'] })

  await syncService.emit('policy.approved', 1)
  await operations.waitForRequests(1)
  const list = (): Promise<string[]> =>
    syncService.listEvents({ waitingOn: 'Operations' }).then(({ events }) => events.map(({ type }) => type))
  await vi.waitFor(async () => expect(await list()).toEqual(['external-sync.endpoint.failing']), 30_000)

  expect(await environment.store.outages.list()).toMatchObject([{ endpoint: 'Hospital', isTold: true }])
  const { events } = await syncService.listEvents({ waitingOn: 'Operations' })
  const [{ type, id } = { type: '', id: '' }] = events
  const { deliveries } = await syncService.deliveries(type, id)
  expect(deliveries).toMatchObject([{ endpoint: 'Operations', state: 'waiting', reason: 'misconfigured' }])
})

test('what a worker could not tell before it ended, the next one tells', async () => {
  const environment = await openEnvironment()
  const { syncService, store } = environment
  const operations = await environment.startReceiver()
  await syncService.registerEndpoint('Operations', { url: operations.url, events: ['external-sync.*'] })
  const ems = await environment.startReceiver()
  await syncService.registerEndpoint('EMS', { url: ems.url, events: ['policy.*'] })
  const since = new Date(Date.now() - 60_000).toISOString()
  await store.outages.begin({ endpoint: 'Left', reason: 'down', since })

  await syncService.emit('policy.approved', 1)

  const [request] = (await operations.waitForRequests(1)) as [ReceivedRequest]
  expect(request.body).toMatchObject({ data: { endpoint: 'Left', since } })
  expect(request.headers['webhook-id']).toBe(`Left@${since}`)
})

test('nobody can emit one', async () => {
  const environment = await openEnvironment()

  await expect(environment.syncService.emit('external-sync.endpoint.failing', 1)).rejects.toThrow('reserved')
})

function typesAt({ requests }: Receiver): string[] {
  return [...new Set(requests.map(({ body }) => (body as { event: string }).event))]
}
