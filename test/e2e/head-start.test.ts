import { join } from 'node:path'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { SyncService } from '../../src/client.js'
import { HeadStarts } from '../../src/activities/head-starts.js'
import { startReceiver } from '../../src/testing/index.js'
import { TEST_KEYS } from '../store/fixtures/open-at.js'
import { registerElsewhere } from '../support/register-elsewhere.js'
import { temporaryFolder } from '../support/temporary-folder.js'

vi.setConfig({ testTimeout: 180_000 })

const WITHIN = { timeout: 60_000, interval: 100 }

test('what is emitted beside its worker is attempted at once, each event once, however many are', async () => {
  const begin = vi.spyOn(HeadStarts.prototype, 'begin')
  const take = vi.spyOn(HeadStarts.prototype, 'take')
  onTestFinished(() => void vi.restoreAllMocks())
  await using receiver = await startReceiver()
  await using service = await SyncService.connect({
    env: { SYNC_DATA_DIR: await temporaryFolder(), TEMPORAL_ADDRESS: inject('temporalAddress') },
    worker: true,
    taskQueue: 'external-sync-test-head-start',
    allowNetworks: ['127.0.0.0/8'],
  })
  await service.registerEndpoint('EMS', { url: receiver.url })

  const receipts = await Promise.all(
    Array.from({ length: 100 }, (_, number) => service.emit('head.start', { number })),
  )
  for (const { eventId } of receipts) {
    expect(await service.waitForDeliveries('head.start', eventId)).toBe(true)
  }

  const received = receiver.requests.map(({ headers }) => String(headers['webhook-id']))
  expect(received).toHaveLength(100)
  expect(new Set(received)).toEqual(new Set(receipts.map(({ eventId }) => eventId)))
  expect(begin).toHaveBeenCalledTimes(100)
  const taken = take.mock.results.filter(({ value }) => value !== undefined)
  expect(taken.length).toBeGreaterThan(50)
})

test('an endpoint that another process has registered before the emit gets the event', async () => {
  const dataDir = await temporaryFolder()
  await using service = await SyncService.connect({
    env: {
      SYNC_DATA_DIR: dataDir,
      SYNC_ENCRYPTION_KEYS: TEST_KEYS,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
    },
    worker: true,
    taskQueue: 'external-sync-test-head-start-elsewhere',
  })

  for (const names of [['A'], ['A', 'B'], ['A', 'B', 'C']]) {
    await registerElsewhere(names.at(-1)!, join(dataDir, 'endpoints.db'))
    const { eventId } = await service.emit('head.elsewhere', {})
    await expect
      .poll(async () => {
        const { deliveries } = await service.deliveries('head.elsewhere', eventId)
        return deliveries.map(({ endpoint }) => endpoint)
      }, WITHIN)
      .toEqual(names)
  }
})
