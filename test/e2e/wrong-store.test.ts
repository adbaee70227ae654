import { expect, test, vi } from 'vitest'
import { startSyncWorker } from '../../src/worker.js'
import { createEnvironment, openEnvironment } from '../support/environment.js'
import { recordingLogger } from '../support/recording-logger.js'

vi.setConfig({ testTimeout: 120_000 })

test('a worker on another endpoint store gives no delivery up, and one on the right store delivers it', async () => {
  const environment = await openEnvironment()
  const { syncService, temporal, taskQueue } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  await syncService.pauseEndpoint('EMS')
  const { eventId } = await syncService.emit('policy.approved', 1)
  await vi.waitFor(async () => {
    const { deliveries } = await syncService.deliveries('policy.approved', eventId)
    expect(deliveries).toMatchObject([{ state: 'waiting', reason: 'paused' }])
  }, 20_000)
  await environment.stopWorker()

  await using other = await createEnvironment()
  const wrong = await startSyncWorker({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace ?? 'default',
    taskQueue,
    store: other.store,
    logger: recordingLogger().logger,
  })
  await syncService.retryDelivery('policy.approved', eventId, 'EMS')
  await vi.waitFor(async () => {
    const { deliveries } = await syncService.deliveries('policy.approved', eventId)
    expect(deliveries).toMatchObject([
      { state: 'attempting', lastError: expect.stringContaining('has never had EMS') },
    ])
  }, 30_000)
  await wrong.stop()

  await environment.startWorker()
  await syncService.resumeEndpoint('EMS')
  await receiver.waitForRequests(1)
})
