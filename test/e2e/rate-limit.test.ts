import proto from '@temporalio/proto'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { NativeConnection } from '@temporalio/worker'
import { expect, inject, test, vi } from 'vitest'
import { LOOPBACK_NETWORKS } from '../../src/config.js'
import { SEARCH_ATTRIBUTES } from '../../src/domain/search-attributes.js'
import { SyncTestEnvironment, type Receiver } from '../../src/testing/index.js'
import { startSyncWorker } from '../../src/worker.js'
import { createEnvironment } from '../support/environment.js'
import { recordingLogger } from '../support/recording-logger.js'

const COUNT = 30
const PER_SECOND = 3

vi.setConfig({ testTimeout: 120_000 })

test('a worker keeps the rate limit of an endpoint, and delays no other', async () => {
  await using environment = await createEnvironment()

  const { limitedMs, freeMs } = await deliverToBoth(environment)

  // What a second allows may come at once in the beginning.
  expect(limitedMs).toBeGreaterThan(((COUNT - 2 * PER_SECOND) / PER_SECOND) * 1_000)
  expect(freeMs).toBeLessThan(limitedMs)
})

test('two workers keep it together where the server paces fairness keys', async () => {
  const server = await startFairServer()
  try {
    await using environment = await SyncTestEnvironment.createFromExistingServer(server.address)
    const { temporal, taskQueue, store } = environment
    const connection = await NativeConnection.connect({ address: server.address })
    const other = await startSyncWorker({
      connection,
      namespace: 'default',
      taskQueue,
      store,
      logger: recordingLogger().logger,
      allowNetworks: LOOPBACK_NETWORKS,
    })
    await vi.waitFor(async () => {
      const { config } = await temporal.connection.workflowService.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name: taskQueue },
        taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        reportConfig: true,
      })
      expect(config?.fairnessKeysRateLimitDefault?.rateLimit?.requestsPerSecond).toBe(1_000)
    })

    const { limitedMs, freeMs } = await deliverToBoth(environment)
    await other.stop()
    await connection.close()

    // Each worker by itself would take half as long.
    expect(limitedMs).toBeGreaterThan(((COUNT - 2 * PER_SECOND) / PER_SECOND) * 1_000)
    expect(freeMs).toBeLessThan(limitedMs)
  } finally {
    await server.teardown()
  }
})

/** Emits to an endpoint with a rate limit and to one without, and says how long each was at it. */
async function deliverToBoth(
  environment: SyncTestEnvironment,
): Promise<{ limitedMs: number; freeMs: number }> {
  const { syncService } = environment
  const limited = await environment.startReceiver()
  const free = await environment.startReceiver()
  await syncService.registerEndpoint('Limited', { url: limited.url, maxAttemptsPerSecond: PER_SECOND })
  await syncService.registerEndpoint('Free', { url: free.url })
  const receipts = await Promise.all(
    Array.from({ length: COUNT }, (_, number) => syncService.emit('policy.approved', { number })),
  )
  const ended = await Promise.all(receipts.map((receipt) => environment.waitForDeliveries(receipt)))
  expect(ended.flat().map(({ state }) => state)).toEqual(Array(2 * COUNT).fill('delivered'))
  return { limitedMs: spanOf(limited), freeMs: spanOf(free) }
}

function spanOf({ requests }: Receiver): number {
  return Number(requests.at(-1)?.receivedAt) - Number(requests[0]?.receivedAt)
}

function startFairServer(): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: inject('temporalCliPath') },
      extraArgs: [
        ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => [
          '--search-attribute',
          `${name}=${type}`,
        ]),
        '--dynamic-config-value',
        'matching.enableFairness=true',
      ],
    },
  })
}
