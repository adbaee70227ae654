import { expect, test, vi } from 'vitest'
import { createStatusReader } from '../../src/client/status/status-reader.js'
import { openApi } from '../support/api.js'
import { openEnvironment } from '../support/environment.js'

/** A write of the worker's, and a second of search. */
const SOON = { timeout: 20_000 }

test('the status has every endpoint with its state, the latest events and the last hour', async () => {
  const api = await openApi()
  const { syncService } = api.environment
  const [up, refusing] = await Promise.all([
    api.environment.startReceiver(200),
    api.environment.startReceiver(401),
  ])
  await syncService.registerEndpoint('Up', { url: up.url })
  await syncService.registerEndpoint('Refusing', { url: refusing.url })
  await syncService.registerEndpoint('Paused', { url: up.url })
  await syncService.pauseEndpoint('Paused')
  await syncService.emit('a.b', 1, { id: 'one' })
  await syncService.emit('a.b', 1, { id: 'two' })

  await expect
    .poll(async () => (await api.call('GET', '/v1/status')).body, SOON)
    .toEqual({
      namespace: 'default',
      totals: { all: 3, upToDate: 1, retrying: 0, behind: 1, paused: 1, unusable: 0 },
      waiting: { count: 4 },
      endpoints: [
        {
          name: 'Refusing',
          state: 'behind',
          reason: 'misconfigured',
          waiting: 2,
          since: expect.stringMatching(/Z$/),
          lastFailedAt: expect.stringMatching(/Z$/),
        },
        { name: 'Paused', state: 'paused', waiting: 2, since: expect.stringMatching(/Z$/) },
        { name: 'Up', state: 'upToDate', waiting: 0, lastDeliveredAt: expect.stringMatching(/Z$/) },
      ],
      more: 0,
      events: [
        expect.objectContaining({ id: 'two', status: 'running', waiting: 2 }),
        expect.objectContaining({ id: 'one', status: 'running', waiting: 2 }),
      ],
      minutes: expect.arrayContaining([expect.objectContaining({ delivered: expect.any(Number) })]),
    })
  const { minutes } = (await api.call('GET', '/v1/status')).body
  const sum = (key: string) =>
    minutes.reduce((all: number, minute: Record<string, number>) => all + minute[key]!, 0)
  expect([sum('delivered'), sum('failed')]).toEqual([2, 2])
})

test('it is asked for by a part of a name and with a limit, those in trouble first', async () => {
  const api = await openApi()
  const { store } = api.environment
  for (const name of ['EMS-North', 'EMS-South', 'Hospital'])
    await store.put(name, { url: 'http://127.0.0.1:9/' })
  await store.setState('EMS-South', 'paused')
  const namesOf = async (query: string) => {
    const { body } = await api.call('GET', `/v1/status${query}`)
    return [body.endpoints.map(({ name }: { name: string }) => name), body.more]
  }

  expect(await namesOf('')).toEqual([['EMS-South', 'EMS-North', 'Hospital'], 0])
  expect(await namesOf('?match=ems&limit=1')).toEqual([['EMS-South'], 1])
  expect(await namesOf('?match=nobody')).toEqual([[], 0])
  expect(await api.call('GET', '/v1/status?limit=201')).toMatchObject({
    status: 422,
    body: { errors: [{ field: 'limit' }] },
  })
  expect(await api.call('GET', '/v1/status?match=')).toMatchObject({ status: 422 })
})

test('an answer that is known is not sent again', async () => {
  const api = await openApi()
  const first = await api.call('GET', '/v1/status')
  const etag = first.headers.get('etag') ?? ''

  expect(await api.call('GET', '/v1/status', { headers: { 'if-none-match': etag } })).toMatchObject({
    status: 304,
    body: '',
  })
  expect(await api.call('GET', '/v1/status', { headers: { 'if-none-match': '"other"' } })).toMatchObject({
    status: 200,
  })
})

test('many viewers ask Temporal and the store once', async () => {
  const { temporal, store, taskQueue } = await openEnvironment()
  const reader = createStatusReader({ client: temporal.client, store, taskQueue })
  const searches = vi.spyOn(temporal.client.workflowService, 'listWorkflowExecutions')
  const changes = vi.spyOn(store, 'changesSince')

  await Promise.all(Array.from({ length: 50 }, () => reader({ limit: 100, brief: false })))
  await reader({ limit: 1, brief: true })

  expect(searches).toHaveBeenCalledTimes(3)
  expect(changes).toHaveBeenCalledTimes(1)
})

test('what is beyond the bounds of a search is counted for those in trouble, unless the answer is to be brief, and said to be a bound', async () => {
  const { temporal, store, taskQueue, syncService } = await openEnvironment()
  const { client } = temporal
  await syncService.registerEndpoint('Old', { url: 'http://127.0.0.1:9/', events: ['old.*'] })
  await syncService.registerEndpoint('New', { url: 'http://127.0.0.1:9/', events: ['new.*'] })
  await syncService.registerEndpoint('Idle', { url: 'http://127.0.0.1:9/', events: ['none.*'] })
  for (const name of ['Old', 'New']) await syncService.pauseEndpoint(name)
  for (let index = 0; index < 3; index += 1) await syncService.emit('old.a', index)
  for (let index = 0; index < 6; index += 1) await syncService.emit('new.a', index)
  await expect.poll(async () => (await syncService.status()).waiting, SOON).toEqual({ count: 9 })
  const searches = vi.spyOn(client.workflowService, 'listWorkflowExecutions')
  const counts = vi.spyOn(client.workflowService, 'countWorkflowExecutions')

  const bounds = { pageSize: 2, maxPages: 2, maxCounted: 20 }
  const briefBounds = { pageSize: 2, maxPages: 1, maxCounted: 0 }
  const reader = createStatusReader({ client, store, taskQueue, bounds, briefBounds })

  const brief = await reader({ limit: 100, brief: true })

  expect(searches).toHaveBeenCalledTimes(3)
  expect(counts).not.toHaveBeenCalled()
  expect(brief.waiting).toEqual({ count: 2, atLeast: true })
  expect(brief.endpoints[0]).toMatchObject({ name: 'New', waiting: 2, atLeast: true, orEarlier: true })

  searches.mockClear()
  const status = await reader({ limit: 100, brief: false })

  expect(searches).toHaveBeenCalledTimes(4)
  expect(counts).toHaveBeenCalledTimes(2)
  expect(status.waiting).toEqual({ count: 9, atLeast: true })
  expect(status.endpoints).toMatchObject([
    { name: 'New', waiting: 6, orEarlier: true },
    { name: 'Old', waiting: 3 },
    { name: 'Idle', waiting: 0, atLeast: true },
  ])
  expect(status.endpoints[0]).not.toHaveProperty('atLeast')
  // What is known is as soon there.
  expect(await reader({ limit: 100, brief: true })).toEqual(status)
})

test('where Temporal or the store is away, that is the answer', async () => {
  const { temporal, store, taskQueue } = await openEnvironment()
  const reader = createStatusReader({ client: temporal.client, store, taskQueue })
  const away = vi.spyOn(store, 'changesSince').mockRejectedValueOnce(new Error('away'))

  await expect(reader({ limit: 100, brief: false })).rejects.toThrow('away')
  expect(away).toHaveBeenCalledTimes(1)
  expect(await reader({ limit: 100, brief: false })).toMatchObject({ endpoints: [] })
})
