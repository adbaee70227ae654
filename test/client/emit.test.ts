import { Client, Connection } from '@temporalio/client'
import { inject, expect, test, vi } from 'vitest'
import { SyncService, type Receipt, type SyncEvent } from '../../src/client.js'
import { openEnvironment } from '../support/environment.js'
import { freePort } from '../support/free-port.js'
import { recordingLogger } from '../support/recording-logger.js'
import { temporaryFolder } from '../support/temporary-folder.js'

test('a receipt names the event and its workflow, and an id is made where none is given', async () => {
  const { syncService } = await openEnvironment()

  const receipt = await syncService.emit('policy.approved', {})

  expect(receipt).toEqual({
    eventId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    workflowId: `policy.approved/${receipt.eventId}`,
    duplicate: false,
  })
})

test('the same data with its properties in another order are the same event', async () => {
  const { syncService } = await openEnvironment()
  const { eventId } = await syncService.emit('policy.approved', { a: 1, b: 2 })

  expect(await syncService.emit('policy.approved', { b: 2, a: 1 }, { id: eventId })).toMatchObject({
    duplicate: true,
  })
  await expect(syncService.emit('policy.approved', { a: 1 }, { id: eventId })).rejects.toMatchObject({
    code: 'EVENT_CONFLICT',
    eventType: 'policy.approved',
    eventId,
  })
})

test('an operator sees type and key in the summary and finds the event by its key', async () => {
  const { syncService, temporal } = await openEnvironment()
  const key = `policy/${crypto.randomUUID()}`

  const { workflowId } = await syncService.emit('policy.approved', {}, { key })

  const description = await temporal.client.workflow.getHandle(workflowId).describe()
  expect(await description.staticSummary()).toBe(`policy.approved · ${key}`)
  await vi.waitFor(async () => {
    const found: string[] = []
    const query = `SyncEventKey = "${key}"`
    for await (const workflow of temporal.client.workflow.list({ query })) found.push(workflow.workflowId)
    expect(found).toEqual([workflowId])
  }, 20_000)
})

test('emitting to a Temporal that has gone fails with the id under which to try again', async () => {
  const address = `127.0.0.1:${await freePort()}`
  const environment = await openEnvironment()
  const connection = Connection.lazy({ address })
  const client = new Client({ connection })
  await using syncService = new SyncService({ client, store: environment.store, taskQueue: 'none' })

  await expect(syncService.emit('policy.approved', {}, { id: 'SAFETY-7' })).rejects.toMatchObject({
    code: 'EVENT_NOT_ACCEPTED',
    message: expect.stringContaining('SAFETY-7'),
  })
})

test('local listeners hear an event once, after it was accepted, and a repeated one not again', async () => {
  const { syncService } = await openEnvironment()
  const heard: [unknown, SyncEvent][] = []
  syncService.on('policy.approved', (data, event) => heard.push([data, event]))
  const once = vi.fn()
  syncService.once('policy.approved', once)

  const { eventId } = await syncService.emit('policy.approved', { a: 1 })
  await syncService.emit('policy.approved', { a: 1 }, { id: eventId })
  await syncService.emit('policy.approved', { a: 2 })
  await syncService.emit('policy.rejected', { a: 3 })

  expect(heard.map(([data]) => data)).toEqual([{ a: 1 }, { a: 2 }])
  expect(heard[0]?.[1]).toMatchObject({ type: 'policy.approved', id: eventId })
  expect(once).toHaveBeenCalledTimes(1)
})

test('a listener that throws or rejects is logged and harms neither the emit nor the other listeners', async () => {
  const { logger, lines } = recordingLogger()
  const { syncService } = await openEnvironment({ logger })
  const other = vi.fn()
  syncService.on('policy.approved', () => {
    throw new Error('thrown in a listener')
  })
  syncService.on('policy.approved', () => Promise.reject(new Error('rejected in a listener')))
  syncService.on('policy.approved', other)

  await syncService.emit('policy.approved', {})

  expect(other).toHaveBeenCalledTimes(1)
  expect(lines.join('')).toContain('thrown in a listener')
  await vi.waitFor(() => expect(lines.join('')).toContain('rejected in a listener'))
})

test('off ends what on began', async () => {
  const { syncService } = await openEnvironment()
  const listener = vi.fn()
  syncService.on('policy.approved', listener).off('policy.approved', listener)

  await syncService.emit('policy.approved', {})

  expect(listener).not.toHaveBeenCalled()
})

test('close waits for calls that nobody awaited, and later calls are refused', async () => {
  const environment = await openEnvironment()
  const { client } = environment.temporal
  const { store, taskQueue } = environment
  const syncService = new SyncService({ client, store, taskQueue })
  const receipt: Promise<Receipt> = syncService.emit('policy.approved', {})

  await syncService.close()

  const { workflowId } = await receipt
  expect(await environment.waitForDeliveries({ workflowId })).toEqual([])
  await expect(syncService.emit('policy.approved', {})).rejects.toMatchObject({ code: 'CLOSED' })
})

test('connecting by address works with the environment of the caller', async () => {
  await using syncService = await SyncService.connect({
    env: {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      SYNC_TASK_QUEUE: 'nobody',
      SYNC_DATA_DIR: await temporaryFolder(),
    },
  })

  expect(await syncService.emit('policy.approved', {})).toMatchObject({ duplicate: false })
})
