import { Client, Connection } from '@temporalio/client'
import { expect, test, vi } from 'vitest'
import { SyncService } from '../../src/client.js'
import { withResolvers } from '../support/attempts.js'
import { openApi, openApiOf } from '../support/api.js'
import { openEnvironment } from '../support/environment.js'
import { freePort } from '../support/free-port.js'

test('it is ready where Temporal and the store answer', async () => {
  const api = await openApi()

  expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } })
  expect(await api.call('GET', '/readyz')).toMatchObject({ status: 200, body: { status: 'ok' } })
})

test('it lives and is not ready while Temporal does not answer, and says so in bounded time', async () => {
  const environment = await openEnvironment()
  const connection = Connection.lazy({ address: `127.0.0.1:${await freePort()}` })
  const { store } = environment
  await using service = new SyncService({ client: new Client({ connection }), store, taskQueue: 'none' })
  const api = await openApiOf(environment, { service })
  const startedMs = performance.now()

  const answers = await Promise.all(Array.from({ length: 10 }, () => api.call('GET', '/readyz')))

  expect(performance.now() - startedMs).toBeLessThan(5_000)
  for (const { status, body, headers } of answers) {
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'TEMPORAL_UNREACHABLE' })
    expect(headers.get('retry-after')).toBe('5')
  }
  expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200 })
  expect(await api.call('GET', '/v1/events/a.b/x')).toMatchObject({
    status: 503,
    body: { code: 'TEMPORAL_UNREACHABLE' },
  })
})

test('it is not ready while the store does not answer, and nobody asks twice at the same time', async () => {
  const api = await openApi()
  const history = vi.spyOn(api.environment.store, 'history').mockReturnValue(new Promise(() => undefined))

  const answers = await Promise.all(Array.from({ length: 10 }, () => api.call('GET', '/readyz')))

  expect(new Set(answers.map(({ body }) => body.code))).toEqual(new Set(['STORE_UNAVAILABLE']))
  expect(history).toHaveBeenCalledTimes(1)
  history.mockRestore()
  expect(await api.call('GET', '/readyz')).toMatchObject({ status: 200 })
})

test('its metrics count requests by route, and events', async () => {
  const api = await openApi()
  await api.call('POST', '/v1/events', { body: { type: 'a.b', data: 1 } })
  await api.call('POST', '/v1/events', { body: [{ type: 'a.b', data: 1 }, { type: 'a.b' }] })
  await api.call('GET', '/v1/endpoints/EMS-1')
  await api.call('GET', '/v1/endpoints/EMS-2')
  await api.call('GET', '/anything/else')

  const { headers, body } = await api.call('GET', '/metrics')

  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(body).toContain('external_sync_events_accepted_total 2\n')
  expect(body).toContain('external_sync_events_refused_total{code="INVALID_INPUT"} 1\n')
  const count = 'http_request_duration_seconds_count'
  expect(body).toContain(`${count}{method="POST",route="/v1/events",status="202"} 2\n`)
  expect(body).toContain(`${count}{method="GET",route="/v1/endpoints/:name",status="404"} 2\n`)
  expect(body).toContain(`${count}{method="GET",route="none",status="404"} 1\n`)
  expect(body).toContain('process_resident_memory_bytes ')
  expect(body).not.toContain('EMS-1')
})

test('each request is one line with its id, and nothing of its body, its query or its credentials', async () => {
  const api = await openApi()
  const { headers } = await api.call('POST', '/v1/events?x=sEcReT', {
    body: { type: 'a.b', data: 'sEcReT' },
    headers: { authorization: 'Bearer sEcReT', 'x-request-id': 'policy-7' },
  })
  const other = await api.call('GET', '/v1/endpoints', { headers: { 'x-request-id': 'a b\u00e4' } })

  expect(headers.get('x-request-id')).toBe('policy-7')
  expect(other.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  const lines = () => api.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  await expect.poll(() => lines().length).toBe(3)
  expect(lines()).toMatchObject([
    { path: '/openapi.json' },
    {
      requestId: 'policy-7',
      method: 'POST',
      path: '/v1/events',
      status: 422,
      code: 'INVALID_INPUT',
      durationMs: expect.any(Number),
    },
    { requestId: other.headers.get('x-request-id'), status: 200 },
  ])
  expect(api.lines.join('')).not.toContain('sEcReT')
})

test('what nobody expected is answered without a word of it, and logged with the request’s id', async () => {
  const api = await openApi()
  vi.spyOn(api.environment.store, 'list').mockRejectedValueOnce(new Error('sEcReT'))

  const { status, headers, body } = await api.call('GET', '/v1/endpoints')

  expect([status, body.code]).toEqual([500, 'INTERNAL_ERROR'])
  expect(JSON.stringify(body)).not.toContain('sEcReT')
  const line = api.lines.find((text) => text.includes('a request failed')) ?? ''
  expect(JSON.parse(line)).toMatchObject({
    requestId: headers.get('x-request-id'),
    err: { message: 'sEcReT' },
  })
})

test('it answers what was asked before it stops', async () => {
  const api = await openApi()
  const { promise: stopping, resolve: stop } = withResolvers()
  const receiver = await api.environment.startReceiver(async (_, response) => {
    await stopping
    response.end()
  })
  await api.call('PUT', '/v1/endpoints/EMS', { body: { url: receiver.url } })

  const answer = api.call('POST', '/v1/endpoints/EMS/test')
  await receiver.waitForRequests(1)
  const stopped = api.stop()
  stop()

  expect(await answer).toMatchObject({ status: 200, body: { outcome: 'delivered' } })
  await stopped
  await expect(fetch(api.url)).rejects.toThrow('fetch failed')
})
