import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { SyncService } from '../../src/client.js'
import { HeadStarts } from '../../src/activities/head-starts.js'
import { startReceiver } from '../../src/testing/index.js'
import { temporaryFolder } from '../support/temporary-folder.js'

vi.setConfig({ testTimeout: 180_000 })

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
