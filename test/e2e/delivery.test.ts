import { expect, test } from 'vitest'
import { openEnvironment } from '../support/environment.js'

test('an event reaches its endpoint as the default envelope with the registered authorization', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('EMS-Scheduler', {
    url: `${receiver.url}hook?a=1`,
    authToken: 'Bearer abc123',
  })

  const receipt = await syncService.emit('policy.approved', { id: 'SAFETY-7', content: '…' })
  const deliveries = await environment.waitForDeliveries(receipt)

  expect(deliveries).toMatchObject([
    { endpoint: 'EMS-Scheduler', state: 'delivered', attempts: 1, lastStatus: 200 },
  ])
  expect(receiver.requests).toHaveLength(1)
  expect(receiver.requests[0]).toMatchObject({
    method: 'POST',
    path: '/hook?a=1',
    text: '{"event":"policy.approved","data":{"id":"SAFETY-7","content":"…"}}',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer abc123',
      'webhook-id': receipt.eventId,
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      'user-agent': expect.stringMatching(/^external-sync\/\d/),
    },
  })
})
