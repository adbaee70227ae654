import { expect, test, vi } from 'vitest'
import { createEnvironment } from '../support/environment.js'
import { waitForDeliveries } from '../support/waiting.js'

const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/

vi.setConfig({ testTimeout: 120_000 })

test('receivers that are down, failing or hanging delay no other, and each delivery shows its state', async () => {
  await using environment = await createEnvironment()
  const { syncService } = environment
  const down = await environment.startReceiver()
  const failing = await environment.startReceiver(503)
  const hanging = await environment.startReceiver(() => undefined)
  const healthy = await Promise.all([1, 2, 3].map(() => environment.startReceiver()))
  await down.stop()
  await syncService.registerEndpoint('down', { url: down.url })
  await syncService.registerEndpoint('failing', { url: failing.url })
  await syncService.registerEndpoint('hanging', { url: hanging.url })
  for (const [index, { url }] of healthy.entries()) {
    await syncService.registerEndpoint(`healthy-${index}`, { url })
  }

  const startedAt = Date.now()
  const receipt = await syncService.emit('policy.approved', {})
  const acceptedMs = Date.now() - startedAt
  await Promise.all(healthy.map((receiver) => receiver.waitForRequests(1)))
  const arrivedMs = Date.now() - startedAt

  const delivered = {
    state: 'delivered',
    attempts: 1,
    lastStatus: 200,
    endedAt: expect.stringMatching(ISO_TIME),
  }
  const deliveries = await waitForDeliveries(syncService, receipt, [
    {
      endpoint: 'down',
      state: 'attempting',
      attempts: expect.toSatisfy((attempts: number) => attempts >= 2),
      lastError: 'ECONNREFUSED: the connection was refused',
      nextRetryAt: expect.stringMatching(ISO_TIME),
    },
    {
      endpoint: 'failing',
      state: 'attempting',
      attempts: expect.toSatisfy((attempts: number) => attempts >= 2),
      lastStatus: 503,
      lastError: 'HTTP 503',
      nextRetryAt: expect.stringMatching(ISO_TIME),
    },
    { endpoint: 'hanging', state: 'attempting', attempts: 1 },
    { endpoint: 'healthy-0', ...delivered },
    { endpoint: 'healthy-1', ...delivered },
    { endpoint: 'healthy-2', ...delivered },
  ])
  expect(acceptedMs).toBeLessThan(5_000)
  expect(arrivedMs).toBeLessThan(5_000)
  for (const { nextRetryAt } of deliveries.slice(0, 2)) {
    expect(Date.parse(nextRetryAt ?? '')).toBeGreaterThan(Date.now() - 1_000)
  }

  await down.listen()
  failing.respondWith(200)
  hanging.respondWith(200)
  await hanging.stop()
  await hanging.listen()
  expect((await environment.waitForDeliveries(receipt)).map(({ state }) => state)).toEqual(
    Array(6).fill('delivered'),
  )
  expect(healthy.map(({ requests }) => requests.length)).toEqual([1, 1, 1])
})
