import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { SyncService } from '../../src/client.js'
import { openEnvironment } from '../support/environment.js'
import { recordingLogger } from '../support/recording-logger.js'
import { temporaryFolder } from '../support/temporary-folder.js'

test('a program without a single await gets its endpoints registered before its emits', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  const policyService = new EventEmitter()

  void syncService.registerEndpoint('EMS-Scheduler', { url: `${receiver.url}old` })
  void syncService.registerEndpoint('EMS-Scheduler', { url: `${receiver.url}new` })
  void syncService.emit('schedule.updated', { shift: 1 })
  syncService.forward(policyService, 'approved', 'policy.approved')
  policyService.emit('approved', { id: 'SAFETY-7' })

  const requests = await receiver.waitForRequests(2)
  expect(requests.map(({ path }) => path)).toEqual(['/new', '/new'])
  expect(requests.map(({ body }) => body)).toEqual(
    expect.arrayContaining([
      { event: 'schedule.updated', data: { shift: 1 } },
      { event: 'policy.approved', data: { id: 'SAFETY-7' } },
    ]),
  )
})

test('a failure that nobody awaits reaches the error listeners', async () => {
  const { syncService } = await openEnvironment()
  const failures: unknown[] = []
  syncService.on('error', (error) => failures.push(error))

  void syncService.emit('not a type', {})
  void syncService.registerEndpoint('EMS-Scheduler', { url: 'ftp://city.example' })
  void syncService.updateEndpoint('nobody', {})

  await vi.waitFor(() => expect(failures).toHaveLength(3), 10_000)
  expect(failures).toMatchObject([
    { code: 'INVALID_INPUT' },
    { code: 'INVALID_INPUT' },
    { code: 'ENDPOINT_NOT_FOUND' },
  ])
})

test('a failure that nobody awaits and nobody listens for is logged', async () => {
  const { logger, lines } = recordingLogger()
  const { syncService } = await openEnvironment({ logger })

  void syncService.emit('not a type', {})

  await vi.waitFor(() => expect(lines.join('')).toContain('not a type'), 10_000)
})

test('a failure that is awaited goes to the caller alone', async () => {
  const { syncService } = await openEnvironment()
  const onError = vi.fn()
  syncService.on('error', onError)

  await expect(syncService.emit('not a type', {})).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  const both = Promise.all([syncService.emit('not a type', {}), syncService.emit('policy.approved', {})])
  await expect(both).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await syncService.emit('not a type', {}).catch(() => undefined)
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

  expect(onError).not.toHaveBeenCalled()
})

test('an error listener that throws is logged', async () => {
  const { logger, lines } = recordingLogger()
  const { syncService } = await openEnvironment({ logger })
  syncService.on('error', () => {
    throw new Error('thrown in an error listener')
  })

  void syncService.emit('not a type', {})

  await vi.waitFor(() => expect(lines.join('')).toContain('thrown in an error listener'), 10_000)
})

test('forward hands what it cannot emit to its handler, and the source sees nothing of it', async () => {
  const { syncService } = await openEnvironment()
  const source = new EventEmitter()
  const onError = vi.fn()
  const end = syncService.forward(source, 'approved', 'policy.approved', { onError })

  source.emit('approved', undefined)
  await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(1))
  expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'INVALID_INPUT' })

  end()
  source.emit('approved', undefined)
  expect(source.listenerCount('approved')).toBe(0)
})

test('forward takes id, key and data from what toEvent makes of the arguments', async () => {
  const environment = await openEnvironment()
  const receiver = await environment.startReceiver()
  await environment.syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
  const source = new EventEmitter()
  environment.syncService.forward(source, 'approved', 'policy.approved', {
    toEvent: (id: string, content: string) => ({ id: `${id}-v1`, key: `policy/${id}`, data: { content } }),
  })

  const id = crypto.randomUUID()
  source.emit('approved', id, 'No entry')

  expect(await receiver.waitForRequests(1)).toMatchObject([
    { headers: { 'webhook-id': `${id}-v1` }, body: { data: { content: 'No entry' } } },
  ])
})

test('a service that cannot connect reports it to the error listeners and does not end the process', async () => {
  const env = { SYNC_DATA_DIR: await temporaryFolder() }
  await using syncService = new SyncService({
    env,
    temporal: { address: '127.0.0.1:1', connectTimeoutMs: 100 },
  })
  const failed = new Promise((resolve) => syncService.on('error', resolve))

  void syncService.emit('policy.approved', {})

  expect(await failed).toMatchObject({ code: 'TEMPORAL_UNREACHABLE' })
})
