import { Client, Connection } from '@temporalio/client'
import { describe, expect, inject, test, vi } from 'vitest'
import { SyncService } from '../../src/client.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { createEnvironment } from '../support/environment.js'
import { emitIn, GROUP_ID } from '../support/grouping.js'
import { startTcpProxy } from '../support/tcp-proxy.js'
import { waitUntilWaiting } from '../support/waiting.js'

const TYPE = 'policy.approved'
const DATA = { entity: 'policy/42' }

vi.setConfig({ testTimeout: 120_000 })

describe.concurrent('an event that went in a group and is emitted again by its process', () => {
  test('is a duplicate, at the same time and after it was delivered, and is delivered once', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: [TYPE] })
    const heard = vi.fn()
    syncService.on(TYPE, heard)
    const id = crypto.randomUUID()
    const event = { type: TYPE, data: DATA, id }

    const [first, second, other] = await syncService.emitMany([event, event, { type: TYPE, data: DATA }])
    await environment.waitForDeliveries(first!)
    const third = await syncService.emit(TYPE, DATA, { id })

    expect(first).toEqual({ eventId: id, workflowId: expect.stringMatching(GROUP_ID) })
    expect(second).toEqual({ ...first, duplicate: true })
    expect(third).toEqual({ ...first, duplicate: true })
    await receiver.waitForRequests(2)
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set([id, other!.eventId]),
    )
    expect(heard).toHaveBeenCalledTimes(2)
  })

  test('with other data is a conflict, at the same time and after it was delivered', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const id = crypto.randomUUID()
    const conflict = { code: 'EVENT_CONFLICT', eventType: TYPE, eventId: id }
    const others = [1, 2, 3].map((count) => syncService.emit(TYPE, { count }))

    const first = syncService.emit(TYPE, DATA, { id })
    await expect(syncService.emit(TYPE, { entity: 'policy/43' }, { id })).rejects.toMatchObject(conflict)
    await environment.waitForDeliveries(await first)

    await expect(syncService.emit(TYPE, { entity: 'policy/43' }, { id })).rejects.toMatchObject(conflict)
    expect((await first).workflowId).toMatch(GROUP_ID)
    await Promise.all(others)
  })

  test.for(['cancel', 'terminate'] as const)(
    'after an operator has told its group to %s is accepted anew and delivered',
    async (end) => {
      await using environment = await createEnvironment({ grouping: 'auto' })
      const { syncService } = environment
      const receiver = await environment.startReceiver()
      await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: [TYPE] })
      await environment.stopWorker()
      const receipt = await emitIn('auto', syncService, TYPE, DATA)
      await endWorkflow(environment, receipt.workflowId, end)

      const again = await syncService.emit(TYPE, DATA, { id: receipt.eventId })
      await environment.startWorker()

      expect(again.duplicate).toBe(false)
      expect(await environment.waitForDeliveries(again)).toMatchObject([{ state: 'delivered' }])
      expect(receiver.requests).toHaveLength(1)
    },
  )

  test('after an operator has terminated its own workflow is accepted anew and delivered', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver(422, 200)
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: [TYPE] })
    const receipt = await emitIn('auto', syncService, TYPE, DATA)
    await waitUntilWaiting(environment, receipt, 'rejected')
    await endWorkflow(environment, `${TYPE}/${receipt.eventId}`, 'terminate')

    const again = await syncService.emit(TYPE, DATA, { id: receipt.eventId })

    expect(again.duplicate).toBe(false)
    expect(await environment.waitForDeliveries(again)).toMatchObject([{ state: 'delivered' }])
  })
})

test.concurrent.for([
  ['still waits', 422],
  ['was delivered', 200],
] as const)(
  'an event whose workflow %s gets no second one when it comes again in a group of another process',
  async ([, status]) => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService, temporal } = environment
    const receiver = await environment.startReceiver(status, 422)
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, events: [TYPE] })
    const alone = await syncService.emit(TYPE, DATA)
    if (status === 422) await waitUntilWaiting(environment, alone, 'rejected')
    else await environment.waitForDeliveries(alone)
    const { runId } = await temporal.client.workflow.getHandle(alone.workflowId).describe()
    await using other = connectOther(environment)

    const grouped = await emitIn('auto', other, TYPE, DATA, { id: alone.eventId })

    const group = await temporal.client.workflow.getHandle(grouped.workflowId).result()
    expect(group).toMatchObject({ events: expect.arrayContaining([{ type: TYPE, id: alone.eventId }]) })
    expect(await temporal.client.workflow.getHandle(alone.workflowId).describe()).toMatchObject({ runId })
    await receiver.waitForRequests(status === 200 ? 2 : 1)
    receiver.respondWith(200)
    if (status !== 200) await syncService.retryDelivery(TYPE, alone.eventId, 'EMS-Scheduler')
    const attempts = status === 200 ? 1 : 2
    expect(await environment.waitForDeliveries(alone)).toMatchObject([{ state: 'delivered', attempts }])
  },
)

test.concurrent(
  'events that Temporal did not accept are each named, and are accepted when it is back',
  async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const receiver = await environment.startReceiver()
    await environment.syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
    await using proxy = await startTcpProxy(inject('temporalAddress'))
    const connection = await Connection.connect({ address: proxy.address })
    const { store, taskQueue } = environment
    const client = new Client({ connection })
    await using syncService = new SyncService({ client, store, taskQueue, grouping: 'auto' })
    const events = ['a', 'b', 'c'].map((name) => ({
      type: TYPE,
      data: { name },
      id: `${name}-${crypto.randomUUID()}`,
    }))

    await proxy.stop()
    const failed = await Promise.allSettled(
      events.map(({ type, data, id }) => syncService.emit(type, data, { id })),
    )
    for (const [index, outcome] of failed.entries()) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'EVENT_NOT_ACCEPTED',
          message: expect.stringContaining(`emit it again with the id "${events[index]?.id}"`),
        },
      })
    }
    expect(receiver.requests).toHaveLength(0)

    await proxy.listen()
    const receipts = await syncService.emitMany(events)
    expect(receipts.map(({ workflowId }) => workflowId)).toEqual(
      events.map(() => expect.stringMatching(GROUP_ID)),
    )
    expect(receipts.some((receipt) => 'duplicate' in receipt)).toBe(false)
    await receiver.waitForRequests(3)
    await connection.close()
  },
)

/** A service that remembers none of what was emitted by the environment's own. */
function connectOther({ temporal, store, taskQueue }: SyncTestEnvironment): SyncService {
  return new SyncService({ client: temporal.client, store, taskQueue, grouping: 'auto' })
}

/** A workflow that no worker has begun ends as soon as it is told to; one that is cancelled needs a worker. */
async function endWorkflow(
  environment: SyncTestEnvironment,
  workflowId: string,
  end: 'cancel' | 'terminate',
): Promise<void> {
  const handle = environment.temporal.client.workflow.getHandle(workflowId)
  await handle[end]()
  if (end === 'terminate') return
  await environment.startWorker()
  await handle.result().catch(() => undefined)
  await environment.stopWorker()
}
