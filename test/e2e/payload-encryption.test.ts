import { randomUUID } from 'node:crypto'
import { Client, WorkflowUpdateFailedError } from '@temporalio/client'
import { defaultPayloadConverter, type DataConverter } from '@temporalio/common'
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { SyncService, type Receipt } from '../../src/client.js'
import { formatKeys, generateKey, type EncryptionKey } from '../../src/encryption/key-ring.js'
import { createLogger } from '../../src/logger.js'
import { dataConverterOf } from '../../src/temporal/data-converter.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { startSyncWorker } from '../../src/worker.js'
import { retryDeliveryUpdate } from '../../src/workflows/messages.js'
import { keyRing } from '../support/encryption.js'
import { openEnvironment } from '../support/environment.js'
import { textIn } from '../support/text-in.js'
import { waitForDeliveries, waitUntilWaiting } from '../support/waiting.js'

vi.setConfig({ testTimeout: 120_000 })

const TYPE = 'policy.approved'

test('with encryption everything works as without, and Temporal sees none of the data or failures', async () => {
  const marker = { data: mark('data'), excerpt: mark('excerpt'), reason: mark('reason') }
  const environment = await openEnvironment({ encryptionKeys: keyRing(), encryptPayloads: true })
  const { syncService } = environment
  const receivers = {
    delivered: await environment.startReceiver(),
    failing: await environment.startReceiver(
      (_, response) => void response.writeHead(503).end(marker.excerpt),
    ),
    rejecting: await environment.startReceiver(422, 422, 200),
    unwanted: await environment.startReceiver(400),
  }
  for (const [name, { url }] of Object.entries(receivers)) await syncService.registerEndpoint(name, { url })
  const id = randomUUID()
  const data = { content: marker.data }
  const receipt = await syncService.emit(TYPE, data, { id, key: 'policy/42' })
  await waitForDeliveries(syncService, receipt, [
    { endpoint: 'delivered', state: 'delivered' },
    {
      endpoint: 'failing',
      state: 'attempting',
      attempts: 3,
      lastStatus: 503,
      evidence: [{ excerpt: marker.excerpt }, { excerpt: marker.excerpt }, { excerpt: marker.excerpt }],
    },
    { endpoint: 'rejecting', state: 'waiting', reason: 'rejected' },
    { endpoint: 'unwanted', state: 'waiting', reason: 'rejected' },
  ])

  expect(await syncService.emit(TYPE, data, { id })).toMatchObject({ duplicate: true })
  await expect(syncService.emit(TYPE, { content: 'other' }, { id })).rejects.toMatchObject({
    code: 'EVENT_CONFLICT',
  })
  await syncService.retryDelivery(TYPE, id, 'rejecting')
  await waitForDeliveries(syncService, receipt, [{}, {}, { attempts: 2, state: 'waiting' }, {}])
  await syncService.retryDelivery(TYPE, id, 'rejecting')
  expect(await syncService.discardDelivery(TYPE, id, 'unwanted', marker.reason)).toMatchObject({
    state: 'discarded',
    reason: marker.reason,
  })
  await expect(syncService.retryDelivery(TYPE, id, 'nobody')).rejects.toMatchObject({
    code: 'DELIVERY_NOT_OPEN',
    message: expect.stringContaining('is not among the endpoints'),
  })
  expect(receivers.delivered.requests.map(({ body }) => body)).toEqual([{ event: TYPE, data }])

  const hidden = [
    ...Object.values(marker),
    'HTTP 503',
    'HTTP 422',
    'is not among the endpoints',
    'of 4 delivered',
  ]
  const places = await seenWithoutCodec(environment, receipt)
  for (const [place, text] of Object.entries(places)) {
    expect([place, hidden.filter((part) => text.includes(part))]).toEqual([place, []])
  }
  expect(places.history).toContain('binary/encrypted')
  expect(places.description).toContain('Encoded failure')
  expect(places.refusal).toContain('Encoded failure')

  await syncService.discardDelivery(TYPE, id, 'failing', marker.reason)
  const ended = await environment.waitForDeliveries(receipt)
  expect(ended).toMatchObject([
    { state: 'delivered' },
    { state: 'discarded', reason: marker.reason },
    { state: 'delivered', attempts: 3 },
    { state: 'discarded' },
  ])
  // The worker's own client has read them from the heartbeat details.
  expect(ended[1]?.attempts).toBeGreaterThanOrEqual(3)
  expect(textIn(await historyOf(environment, receipt))).not.toContain(marker.reason)
})

test('without encryption the same places show the data and the failures', async () => {
  const marker = mark('data')
  const environment = await openEnvironment()
  const { syncService } = environment
  const { url } = await environment.startReceiver(503)
  await syncService.registerEndpoint('failing', { url })
  const receipt = await syncService.emit(TYPE, { content: marker })
  await waitForDeliveries(syncService, receipt, [{ state: 'attempting', attempts: 2 }])

  const { history, description, metadata, refusal } = await seenWithoutCodec(environment, receipt)

  expect(history).toContain(marker)
  expect(description).toContain('failing: HTTP 503')
  expect(metadata).toContain('of 1 delivered')
  expect(refusal).toContain('is not among the endpoints')
  await syncService.discardDelivery(TYPE, receipt.eventId, 'failing', 'end of the test')
})

test('after a rotation old histories are read, open events go on, and the new key encrypts', async () => {
  const [older, newer] = [generateKey(), generateKey()]
  const environment = await openEnvironment({ encryptionKeys: keyRing(older), encryptPayloads: true })
  const receiver = await environment.startReceiver(200, 422, 200)
  await environment.syncService.registerEndpoint('EMS', { url: receiver.url })
  const ended = await environment.syncService.emit(TYPE, { content: 'ended' })
  await environment.waitForDeliveries(ended)
  const open = await environment.syncService.emit(TYPE, { content: 'open' })
  await waitUntilWaiting(environment, open, 'rejected')

  await environment.stopWorker()
  await startWorkerWith(environment, true, newer, older)
  const rotated = await connectWith(environment, true, newer, older)

  expect((await rotated.deliveries(TYPE, ended.eventId)).deliveries).toMatchObject([{ state: 'delivered' }])
  expect(await rotated.emit(TYPE, { content: 'ended' }, { id: ended.eventId })).toMatchObject({
    duplicate: true,
  })
  await rotated.retryDelivery(TYPE, open.eventId, 'EMS')
  await waitForDeliveries(rotated, open, [{ state: 'delivered', attempts: 2 }])
  expect(receiver.requests.map(({ body }) => body)).toMatchObject([
    { data: { content: 'ended' } },
    { data: { content: 'open' } },
    { data: { content: 'open' } },
  ])
  const history = textIn(await historyOf(environment, open))
  expect(history).toContain(older.id)
  expect(history).toContain(newer.id)
  expect(textIn(await historyOf(environment, ended))).not.toContain(newer.id)
})

test('encryption is turned on and off while events are open, and they go on', async () => {
  const [key] = [generateKey()]
  const marker = mark('data')
  const environment = await openEnvironment()
  const receiver = await environment.startReceiver(422, 422, 200)
  await environment.syncService.registerEndpoint('EMS', { url: receiver.url })
  const receipt = await environment.syncService.emit(TYPE, { content: marker })
  await waitUntilWaiting(environment, receipt, 'rejected')
  await environment.stopWorker()

  const encrypting = await startWorkerWith(environment, true, key)
  const on = await connectWith(environment, true, key)
  await on.retryDelivery(TYPE, receipt.eventId, 'EMS')
  await waitForDeliveries(on, receipt, [{ state: 'waiting', attempts: 2 }])
  expect(textIn(await historyOf(environment, receipt))).toContain(key.id)
  await encrypting.stop()

  await startWorkerWith(environment, false, key)
  const off = await connectWith(environment, false, key)
  await off.retryDelivery(TYPE, receipt.eventId, 'EMS')
  expect(await waitForDeliveries(off, receipt, [{ state: 'delivered' }])).toMatchObject([{ attempts: 3 }])
  expect(receiver.requests).toHaveLength(3)
})

test('a worker without the key fails the workflow task, says why, and the event waits for one that has it', async () => {
  const [right, wrong] = [generateKey(), generateKey()]
  const environment = await openEnvironment({ encryptionKeys: keyRing(right), encryptPayloads: true })
  const receiver = await environment.startReceiver()
  await environment.syncService.registerEndpoint('EMS', { url: receiver.url })
  await environment.stopWorker()
  const receipt = await environment.syncService.emit(TYPE, { content: 'safe' })

  const keyless = await startWorkerWith(environment, true, wrong)
  const failure = await vi.waitFor(
    async () => {
      const history = await historyOf(environment, receipt)
      const failed = history.events?.find(({ workflowTaskFailedEventAttributes: task }) => task)
      expect(failed).toBeDefined()
      return failed?.workflowTaskFailedEventAttributes?.failure
    },
    { timeout: 30_000, interval: 200 },
  )
  await keyless.stop()

  const { loadedDataConverter } = new Client({
    connection: environment.temporal.connection,
    dataConverter: dataConverterOf({ keys: () => keyRing(wrong), encrypt: true }),
  }).options
  const shown = await decodeOptionalFailureToOptionalError(loadedDataConverter, failure)
  expect(shown?.message).toContain(
    `the key "${right.id}" cannot be read: this process has the keys "${wrong.id}"`,
  )
  expect(receiver.requests).toHaveLength(0)
  await environment.startWorker()
  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 1 }])
})

test('an attempt that a worker without the key takes is retried, and the evidence is kept', async () => {
  const [right, wrong] = [generateKey(), generateKey()]
  const environment = await openEnvironment({ encryptionKeys: keyRing(right), encryptPayloads: true })
  const { syncService } = environment
  const receiver = await environment.startReceiver(503, 503, 200)
  await syncService.registerEndpoint('EMS', { url: receiver.url, retry: { initialIntervalMs: 3_000 } })
  const receipt = await syncService.emit(TYPE, {})
  await waitForDeliveries(syncService, receipt, [{ state: 'attempting', attempts: 2 }])

  await environment.stopWorker()
  const keyless = await startWorkerWith(environment, true, wrong)
  await vi.waitFor(
    async () => {
      const { raw } = await handleOf(environment, receipt).describe()
      expect(textIn(raw.pendingActivities?.[0]?.lastFailure)).toContain(wrong.id)
    },
    { timeout: 30_000, interval: 200 },
  )
  await keyless.stop()

  await environment.startWorker()
  const [delivery] = await environment.waitForDeliveries(receipt)
  expect(delivery).toMatchObject({ state: 'delivered', attempts: 3 })
  expect(delivery?.evidence?.map(({ status }) => status)).toEqual([503, 503, 200])
})

test('a client without the key says which one it lacks, and accepts no duplicate that it cannot compare', async () => {
  const [right, wrong] = [generateKey(), generateKey()]
  const environment = await openEnvironment({ encryptionKeys: keyRing(right), encryptPayloads: true })
  const receipt = await environment.syncService.emit(TYPE, {})
  await environment.waitForDeliveries(receipt)
  const keyless = await connectWith(environment, false, wrong)

  const missing = { code: 'ENCRYPTION_KEY_MISSING', message: expect.stringContaining(`"${right.id}"`) }
  await expect(keyless.deliveries(TYPE, receipt.eventId)).rejects.toMatchObject(missing)
  await expect(keyless.emit(TYPE, {}, { id: receipt.eventId })).rejects.toMatchObject(missing)
})

test('a service that encrypts and shares no keys is refused before it accepts an event', async () => {
  const connecting = SyncService.connect({
    env: { SYNC_ENCRYPT_PAYLOADS: 'true', TEMPORAL_ADDRESS: inject('temporalAddress') },
  })

  await expect(connecting).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    problems: [{ field: 'SYNC_ENCRYPTION_KEYS' }],
  })
})

function mark(what: string): string {
  return `${what}-${randomUUID()}`
}

function handleOf(environment: SyncTestEnvironment, { workflowId }: Pick<Receipt, 'workflowId'>) {
  return environment.temporal.client.workflow.getHandle(workflowId)
}

function historyOf(environment: SyncTestEnvironment, receipt: Pick<Receipt, 'workflowId'>) {
  return handleOf(environment, receipt).fetchHistory()
}

/** Encrypts and decrypts nothing; the SDK's default converter stumbles over an encrypted failure. */
const BLIND: DataConverter = {
  payloadCodecs: [
    {
      encode: (payloads) => Promise.resolve(payloads),
      decode: (payloads) =>
        Promise.resolve(
          payloads.map((payload) =>
            textIn(payload.metadata).includes('binary/encrypted')
              ? defaultPayloadConverter.toPayload(null)
              : payload,
          ),
        ),
    },
  ],
}

/** All that Temporal gives to whoever has no keys. */
async function seenWithoutCodec(environment: SyncTestEnvironment, { workflowId }: Receipt) {
  const { connection } = environment.temporal
  const namespace = 'default'
  const execution = { workflowId }
  const service = connection.workflowService
  const plainHandle = new Client({ connection, dataConverter: BLIND }).workflow.getHandle(workflowId)
  const refusal = await plainHandle
    .executeUpdate(retryDeliveryUpdate, { args: [{ endpoint: 'nobody' }] })
    .catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(WorkflowUpdateFailedError)
  const metadata = await service.queryWorkflow({
    namespace,
    execution,
    query: { queryType: '__temporal_workflow_metadata' },
  })
  const deliveries = await service.queryWorkflow({ namespace, execution, query: { queryType: 'deliveries' } })
  return {
    history: textIn(await plainHandle.fetchHistory()),
    description: textIn(await service.describeWorkflowExecution({ namespace, execution })),
    list: textIn(await service.listWorkflowExecutions({ namespace, query: `WorkflowId = "${workflowId}"` })),
    metadata: textIn(metadata),
    deliveries: textIn(deliveries),
    refusal: textIn(refusal),
  }
}

async function startWorkerWith(
  { temporal, taskQueue, store }: SyncTestEnvironment,
  encrypt: boolean,
  ...keys: readonly EncryptionKey[]
) {
  const ring = keyRing(...keys)
  const worker = await startSyncWorker({
    connection: temporal.nativeConnection,
    namespace: 'default',
    taskQueue,
    store,
    logger: createLogger('error'),
    encryption: { keys: () => ring, encrypt },
    allowNetworks: ['127.0.0.0/8'],
  })
  onTestFinished(() => worker.stop())
  return worker
}

/** A service with a connection of its own, composed from the environment. */
async function connectWith(
  { taskQueue, store }: SyncTestEnvironment,
  encrypt: boolean,
  ...keys: readonly EncryptionKey[]
): Promise<SyncService> {
  const syncService = await SyncService.connect({
    env: { SYNC_ENCRYPTION_KEYS: formatKeys(keys), SYNC_ENCRYPT_PAYLOADS: String(encrypt) },
    temporal: { address: inject('temporalAddress') },
    taskQueue,
    store,
  })
  onTestFinished(() => syncService.close())
  return syncService
}
