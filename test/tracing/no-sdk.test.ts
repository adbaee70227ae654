import { expect, test } from 'vitest'
import { openApi } from '../support/api.js'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`

test('a trace passes through a process that records none', async () => {
  const api = await openApi()
  const receiver = await api.environment.startReceiver()
  await api.environment.syncService.registerEndpoint('EMS', { url: receiver.url })

  const headers = { traceparent: TRACEPARENT, tracestate: 'vendor=opaque' }
  await api.call('POST', '/v1/events', { headers, body: { type: 'policy.approved', data: 1 } })

  const [request] = await receiver.waitForRequests(1)
  expect(request?.headers).toMatchObject(headers)
})

test('an event without a trace gets none', async () => {
  const api = await openApi()
  const receiver = await api.environment.startReceiver()
  await api.environment.syncService.registerEndpoint('EMS', { url: receiver.url })

  await api.call('POST', '/v1/events', { body: { type: 'policy.approved', data: 1 } })

  const [request] = await receiver.waitForRequests(1)
  expect(request?.headers).not.toHaveProperty('traceparent')
})

test('what emits can name the trace itself, and a malformed one is refused', async () => {
  const api = await openApi()
  const { environment } = api
  const receiver = await environment.startReceiver()
  await environment.syncService.registerEndpoint('EMS', { url: receiver.url })

  await environment.syncService.emit('policy.approved', 1, { traceparent: TRACEPARENT })

  const [request] = await receiver.waitForRequests(1)
  expect(request?.headers['traceparent']).toBe(TRACEPARENT)
  await expect(
    environment.syncService.emit('policy.approved', 1, { traceparent: 'nonsense' }),
  ).rejects.toThrow('traceparent')
})
