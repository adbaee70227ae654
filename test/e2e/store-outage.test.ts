import { expect, test, vi } from 'vitest'
import { formatKeys, generateKey } from '../../src/encryption/key-ring.js'
import { startPostgres } from '../support/postgres.js'
import { openProcesses } from '../support/separate-processes.js'
import { waitForDeliveries } from '../support/waiting.js'

vi.setConfig({ testTimeout: 180_000 })

test('while the database is away, what is known is delivered, new events wait, and then nothing is missing', async (context) => {
  const postgres = await startPostgres()
  context.onTestFinished(() => postgres[Symbol.asyncDispose]())
  const processes = await openProcesses(context, {
    DATABASE_URL: await postgres.createDatabase(),
    SYNC_ENCRYPTION_KEYS: formatKeys([generateKey()]),
  })
  const unready = await processes.runCommand(['worker'])
  expect(unready).toMatchObject({ code: 1, output: expect.stringContaining('external-sync migrate') })
  const migrations = await Promise.all([1, 2, 3].map(() => processes.runCommand(['migrate'])))
  expect(migrations.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(migrations.filter(({ output }) => output.includes('0001-endpoints'))).toHaveLength(1)

  const worker = await processes.startWorker()
  const syncService = await processes.connect()
  const up = await processes.startReceiver()
  const down = await processes.startReceiver(503)
  await syncService.registerEndpoint('Up', { url: up.url, authToken: 'Bearer up' })
  await syncService.registerEndpoint('Down', { url: down.url, authToken: 'Bearer down' })
  const before = await syncService.emit('policy.approved', { number: 1 })
  await waitForDeliveries(syncService, before, [{ endpoint: 'Down', attempts: 1 }, { state: 'delivered' }])

  await postgres.stop('immediate')
  await worker.waitForOutput('does not answer: deliveries go on with what is known')
  const meanwhile = await syncService.emit('policy.approved', { number: 2 })
  await down.waitForRequests(down.requests.length + 1)
  down.respondWith(200)
  await waitForDeliveries(syncService, before, [
    { endpoint: 'Down', state: 'delivered' },
    { state: 'delivered' },
  ])
  expect(await syncService.deliveries('policy.approved', meanwhile.eventId)).toMatchObject({ deliveries: [] })

  await postgres.start()
  await waitForDeliveries(syncService, meanwhile, [{ state: 'delivered' }, { state: 'delivered' }])
  expect(up.requests.map(({ body }) => body)).toMatchObject([
    { data: { number: 1 } },
    { data: { number: 2 } },
  ])
  expect(new Set(down.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer down']))
  await worker.waitForOutput('the endpoint store answers again')
})
