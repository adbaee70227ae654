import { expect, test, vi } from 'vitest'
import { openEnvironment } from '../support/environment.js'
import { waitUntilWaiting } from '../support/waiting.js'

test('a delivery that waits as misconfigured goes on when its endpoint is updated', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(401, 200)
  await syncService.registerEndpoint('EMS', { url: receiver.url, authToken: 'Bearer wrong' })
  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'misconfigured')

  await syncService.updateEndpoint('EMS', { authToken: 'Bearer right' })

  expect(await environment.waitForDeliveries(receipt)).toMatchObject([
    { state: 'delivered', attempts: 2, lastStatus: 200 },
  ])
  expect(receiver.requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer wrong',
    'Bearer right',
  ])
})

test('a delivery that waits as rejected goes on when an operator retries it', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(422, 200)
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'rejected')

  await syncService.retryDelivery('policy.approved', receipt.eventId, 'EMS')

  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 2 }])
})

test('an operator cuts the backoff of a round short, and the attempts count on', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(503, 503, 503, 200)
  const retry = { initialIntervalMs: 1_000, backoffCoefficient: 10 }
  await syncService.registerEndpoint('EMS', { url: receiver.url, retry })
  const receipt = await syncService.emit('policy.approved', {})
  await vi.waitFor(
    async () => {
      const page = await syncService.deliveries('policy.approved', receipt.eventId)
      expect(page.deliveries).toMatchObject([{ state: 'attempting', attempts: 2, lastStatus: 503 }])
    },
    { timeout: 20_000 },
  )

  await syncService.retryDelivery('policy.approved', receipt.eventId, 'EMS')
  await receiver.waitForRequests(3)

  const [delivery] = await environment.waitForDeliveries(receipt)
  expect(delivery).toMatchObject({ state: 'delivered', attempts: 4 })
  expect(delivery?.evidence?.map(({ status }) => status)).toEqual([503, 503, 503, 200])
})

test('a discarded delivery ends with its reason on record, and the others are not touched', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const rejecting = await environment.startReceiver(400)
  const healthy = await environment.startReceiver()
  await syncService.registerEndpoint('Rejecting', { url: rejecting.url })
  await syncService.registerEndpoint('Healthy', { url: healthy.url })
  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'rejected')

  const { eventId } = receipt
  const discarded = await syncService.discardDelivery('policy.approved', eventId, 'Rejecting', 'sent by fax')

  expect(discarded).toMatchObject({ state: 'discarded', reason: 'sent by fax', attempts: 1 })
  expect(await environment.waitForDeliveries(receipt)).toMatchObject([
    { endpoint: 'Healthy', state: 'delivered' },
    { endpoint: 'Rejecting', state: 'discarded', reason: 'sent by fax' },
  ])
})

test('a delivery that is discarded and retried in the same moment is discarded', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(422)
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'rejected')
  await environment.stopWorker()

  const of = ['policy.approved', receipt.eventId, 'EMS'] as const
  const discarding = syncService.discardDelivery(...of, 'sent by fax')
  const retrying = syncService.retryDelivery(...of)
  // Its task has both, once there is a worker.
  await environment.startWorker()

  await expect(discarding).resolves.toMatchObject({ state: 'discarded', reason: 'sent by fax' })
  await retrying.catch(() => undefined)
  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'discarded', attempts: 1 }])
})

test('what an operator wants of a delivery that is not open is refused', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(400)
  const healthy = await environment.startReceiver()
  await syncService.registerEndpoint('Rejecting', { url: receiver.url })
  await syncService.registerEndpoint('Healthy', { url: healthy.url })
  const receipt = await syncService.emit('policy.approved', {})
  const { eventId } = receipt
  await waitUntilWaiting(environment, receipt, 'rejected')
  const notOpen = { code: 'DELIVERY_NOT_OPEN' }

  const retry = (endpoint: string): Promise<unknown> =>
    syncService.retryDelivery('policy.approved', eventId, endpoint)
  await expect(retry('Healthy')).rejects.toMatchObject({
    ...notOpen,
    message: expect.stringContaining('the delivery to Healthy is delivered already'),
  })
  await expect(retry('Nobody')).rejects.toMatchObject(notOpen)
  await expect(syncService.retryDelivery('policy.approved', 'unknown', 'Healthy')).rejects.toMatchObject({
    code: 'EVENT_NOT_FOUND',
  })
  await syncService.discardDelivery('policy.approved', eventId, 'Rejecting', 'sent by fax')
  await environment.waitForDeliveries(receipt)
  await expect(retry('Rejecting')).rejects.toMatchObject(notOpen)
  await expect(
    syncService.discardDelivery('policy.approved', eventId, 'Rejecting', ' '),
  ).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  })
})

test('a waiting delivery goes on by itself at its slow interval', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(404, 404, 200)
  await syncService.registerEndpoint('EMS', { url: receiver.url, retry: { slowIntervalMs: 1_000 } })

  const receipt = await syncService.emit('policy.approved', {})

  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 3 }])
})

test('a delivery expires when its endpoint wants that, and only then', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const rejecting = await environment.startReceiver(422)
  const down = await environment.startReceiver(503)
  await syncService.registerEndpoint('Rejecting', { url: rejecting.url, retry: { expireAfterMs: 4_000 } })
  await syncService.registerEndpoint('Down', { url: down.url, retry: { expireAfterMs: 4_000 } })

  const receipt = await syncService.emit('policy.approved', {})

  expect(await environment.waitForDeliveries(receipt)).toMatchObject([
    { endpoint: 'Down', state: 'discarded', reason: 'expired' },
    { endpoint: 'Rejecting', state: 'discarded', reason: 'expired', attempts: 1 },
  ])
})
