import { describe, expect, test, vi } from 'vitest'
import { SyncService } from '../../src/client.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { keyRing } from '../support/encryption.js'
import { createEnvironment } from '../support/environment.js'
import { emitIn, type TypedReceipt } from '../support/grouping.js'
import { textIn } from '../support/text-in.js'
import { waitForDeliveries, waitUntilWaiting } from '../support/waiting.js'

const TYPE = 'policy.approved'
const EVENTS = [TYPE]

vi.setConfig({ testTimeout: 120_000 })

describe.concurrent('an event that went in a group', () => {
  test('is retried and discarded by an operator, also before its group is over', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const rejecting = await environment.startReceiver(422)
    const failing = await environment.startReceiver(503)
    await syncService.registerEndpoint('Failing', { url: failing.url, events: EVENTS })
    await syncService.registerEndpoint('Rejecting', { url: rejecting.url, events: EVENTS })
    await environment.stopWorker()
    const receipt = await emitIn('auto', syncService, TYPE, {})
    const { eventId } = receipt

    const discarded = syncService.discardDelivery(TYPE, eventId, 'Failing', 'sent by fax')
    await environment.startWorker()
    expect(await discarded).toMatchObject({ state: 'discarded', reason: 'sent by fax' })
    await waitUntilWaiting(environment, receipt, 'rejected')
    rejecting.respondWith(200)
    await syncService.retryDelivery(TYPE, eventId, 'Rejecting')

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([
      { endpoint: 'Failing', state: 'discarded' },
      {
        endpoint: 'Rejecting',
        state: 'delivered',
        attempts: 2,
        evidence: [{ status: 422 }, { status: 200 }],
      },
    ])
  })

  test('has no open delivery once it was delivered; one that nobody emitted is not found', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS', { url: receiver.url, events: EVENTS })
    const receipt = await emitIn('auto', syncService, TYPE, {})
    await environment.waitForDeliveries(receipt)
    await using other = connectOther(environment)

    for (const service of [syncService, other]) {
      await expect(service.retryDelivery(TYPE, receipt.eventId, 'EMS')).rejects.toMatchObject({
        code: 'DELIVERY_NOT_OPEN',
        message: `event ${TYPE}/${receipt.eventId}: all its deliveries have ended`,
      })
      await expect(service.discardDelivery(TYPE, receipt.eventId, 'EMS', 'fax')).rejects.toMatchObject({
        code: 'DELIVERY_NOT_OPEN',
      })
      for (const call of [
        () => service.retryDelivery(TYPE, 'nobody', 'EMS'),
        () => service.discardDelivery(TYPE, 'nobody', 'EMS', 'fax'),
        () => service.deliveries(TYPE, 'nobody'),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'EVENT_NOT_FOUND' })
      }
    }
    expect(receiver.requests).toHaveLength(1)
  })

  test('waits while its endpoint is paused, and goes on when it is resumed', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS', { url: receiver.url, events: EVENTS })
    await syncService.pauseEndpoint('EMS')
    const receipt = await emitIn('auto', syncService, TYPE, {}, { key: 'policy/42' })
    await waitUntilWaiting(environment, receipt, 'paused')
    await untilFound(environment, 'SyncWaitingOn = "EMS" AND SyncWaitingCount = 1', receipt)
    expect(receiver.requests).toHaveLength(0)

    await syncService.resumeEndpoint('EMS')

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 1 }])
  })

  test('goes on when its endpoint, which was misconfigured, is updated', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver(401, 200)
    await syncService.registerEndpoint('EMS', { url: receiver.url, events: EVENTS })
    const receipt = await emitIn('auto', syncService, TYPE, {})
    await waitUntilWaiting(environment, receipt, 'misconfigured')
    await untilFound(environment, 'SyncWaitingOn = "EMS"', receipt)

    await syncService.updateEndpoint('EMS', { authToken: 'Bearer right' })

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 2 }])
  })

  test('keeps its endpoint from being removed while it waits, unless it shall be discarded', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver(422)
    await syncService.registerEndpoint('EMS', { url: receiver.url, events: EVENTS })
    const receipt = await emitIn('auto', syncService, TYPE, {})
    await waitUntilWaiting(environment, receipt, 'rejected')
    await untilFound(environment, 'SyncWaitingOn = "EMS"', receipt)

    await expect(syncService.removeEndpoint('EMS')).rejects.toMatchObject({ code: 'ENDPOINT_HAS_WAITING' })
    await syncService.removeEndpoint('EMS', { discardWaiting: true })

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([
      { state: 'discarded', reason: 'the endpoint was removed' },
    ])
  })

  test('expires when its endpoint wants that', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const rejecting = await environment.startReceiver(422)
    const down = await environment.startReceiver(503)
    const retry = { expireAfterMs: 4_000 }
    await syncService.registerEndpoint('Down', { url: down.url, events: EVENTS, retry })
    await syncService.registerEndpoint('Rejecting', { url: rejecting.url, events: EVENTS, retry })

    const receipt = await emitIn('auto', syncService, TYPE, {})

    expect(await environment.waitForDeliveries(receipt)).toMatchObject([
      { endpoint: 'Down', state: 'discarded', reason: 'expired' },
      { endpoint: 'Rejecting', state: 'discarded', reason: 'expired', attempts: 1 },
    ])
  })

  test('counts the attempt of its group for the backoff', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver(503, 503, 200)
    const retry = { initialIntervalMs: 1_000, backoffCoefficient: 4 }
    await syncService.registerEndpoint('EMS', { url: receiver.url, events: EVENTS, retry })

    await emitIn('auto', syncService, TYPE, {})

    const [, second, third] = await receiver.waitForRequests(3)
    // 4 s less 20 % at random; the first wait is 1 s.
    expect(Number(third?.receivedAt) - Number(second?.receivedAt)).toBeGreaterThan(3_000)
  })

  test.for(['terminate', 'cancel'] as const)(
    'is said not to be known, and why, when an operator has told its group to %s before it was attempted',
    async (end) => {
      await using environment = await createEnvironment({ grouping: 'auto' })
      const { syncService, temporal } = environment
      await environment.stopWorker()
      const receipt = await emitIn('auto', syncService, TYPE, {})
      await temporal.client.workflow.getHandle(receipt.workflowId)[end]()
      await environment.startWorker()
      await using other = connectOther(environment)

      const id = receipt.eventId
      for (const service of [syncService, other]) {
        for (const call of [
          () => service.deliveries(TYPE, id),
          () => service.retryDelivery(TYPE, id, 'EMS'),
        ]) {
          await expect(call()).rejects.toMatchObject({
            code: 'EVENT_NOT_FOUND',
            message: expect.stringContaining(`it went in the group ${receipt.workflowId}, which was`),
          })
        }
      }
    },
  )

  test('is safe and says so while no worker is there', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    await environment.stopWorker()
    const receipt = await emitIn('auto', syncService, TYPE, {})

    await expect(syncService.deliveries(TYPE, receipt.eventId)).rejects.toMatchObject({ code: 'NO_WORKER' })

    await environment.startWorker()
    await waitForDeliveries(syncService, receipt, [])
  })

  test('is encrypted where payloads are, and works as without', async () => {
    const encryption = { encryptionKeys: keyRing(), encryptPayloads: true }
    await using environment = await createEnvironment({ grouping: 'auto', ...encryption })
    const { syncService } = environment
    const marker = crypto.randomUUID()
    const receiver = await environment.startReceiver()
    const rejecting = await environment.startReceiver(422, 200)
    await syncService.registerEndpoint('Healthy', { url: receiver.url })
    await syncService.registerEndpoint('Rejecting', { url: rejecting.url, events: EVENTS })
    const [updated, approved] = await syncService.emitMany([
      { type: 'schedule.updated', data: { marker } },
      { type: TYPE, data: { marker }, key: 'policy/42' },
    ])
    const receipt: TypedReceipt = { ...approved!, eventType: TYPE }
    await waitUntilWaiting(environment, receipt, 'rejected')
    await untilFound(environment, 'SyncEventKey = "policy/42" AND SyncWaitingOn = "Rejecting"', receipt)
    await using other = connectOther(environment)

    expect((await other.deliveries('schedule.updated', updated!.eventId)).deliveries).toMatchObject([
      { endpoint: 'Healthy', state: 'delivered' },
    ])
    // The hash of the data is in the memo of its own workflow.
    expect(await connectAlone(environment).emit(TYPE, { marker }, { id: receipt.eventId })).toMatchObject({
      duplicate: true,
    })
    const { client } = environment.temporal
    for (const workflowId of [receipt.workflowId, `${TYPE}/${receipt.eventId}`]) {
      const execution = { workflowId }
      const handle = client.workflow.getHandle(workflowId)
      const seen = textIn([
        await handle.fetchHistory(),
        await client.workflowService.describeWorkflowExecution({ namespace: 'default', execution }),
        await client.workflowService.queryWorkflow({
          namespace: 'default',
          execution,
          query: { queryType: '__temporal_workflow_metadata' },
        }),
      ])
      expect([marker, '2 events', 'HTTP 422', 'go on in'].filter((text) => seen.includes(text))).toEqual([])
      expect(seen).toContain('binary/encrypted')
    }

    await syncService.retryDelivery(TYPE, receipt.eventId, 'Rejecting')
    expect(await environment.waitForDeliveries(receipt)).toMatchObject([
      { endpoint: 'Healthy', state: 'delivered', attempts: 1 },
      { endpoint: 'Rejecting', state: 'delivered', attempts: 2 },
    ])
  })
})

/** A service that remembers none of what was emitted by the environment's own. */
function connectOther({ temporal, store, taskQueue }: SyncTestEnvironment): SyncService {
  return new SyncService({ client: temporal.client, store, taskQueue, grouping: 'auto' })
}

/** As that, without groups. */
function connectAlone({ temporal, store, taskQueue }: SyncTestEnvironment): SyncService {
  return new SyncService({ client: temporal.client, store, taskQueue })
}

/** Visibility lags behind the workflows. */
async function untilFound(
  { temporal, taskQueue }: SyncTestEnvironment,
  query: string,
  { eventType, eventId }: TypedReceipt,
): Promise<void> {
  await vi.waitFor(
    async () => {
      const { count } = await temporal.client.workflow.count(
        `${query} AND WorkflowId = "${eventType}/${eventId}" AND TaskQueue = "${taskQueue}"`,
      )
      expect(count).toBe(1)
    },
    { timeout: 30_000, interval: 100 },
  )
}
