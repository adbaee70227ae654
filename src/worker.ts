import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NativeConnection, Worker } from '@temporalio/worker'
import { createActivities } from './activities/index.js'
import type { Config } from './config.js'
import { createSender, type Sender } from './delivery/send.js'
import type { Logger } from './logger.js'
import type { EndpointStore } from './store/endpoint-store.js'
import { aborted } from './stop-signal.js'
import { openStore } from './store/open-store.js'
import { connectTemporal, type AddressedOptions } from './temporal/connect.js'

/** How long attempts that are under way may finish when the worker stops; then they are handed back. */
const SHUTDOWN_GRACE_MS = 10_000

/** How often a server that does not answer is tried again. */
const CONNECT_RETRY_INTERVAL_MS = 250

/** Written by `npm run build`; the same place seen from src/ and from dist/. */
const WORKFLOW_BUNDLE = fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url))

/** What a worker needs; whoever composes it closes what it passed in. */
export interface SyncWorkerOptions {
  connection: NativeConnection
  namespace: string
  taskQueue: string
  store: EndpointStore
  logger: Logger
}

/** A worker that runs until it is stopped. */
export interface SyncWorker {
  /** Settles when the worker has stopped; rejects when it broke down. */
  readonly stopped: Promise<void>
  /** Takes no more work, lets attempts finish or hands them back, and waits for that. */
  stop(): Promise<void>
}

/** Starts a worker in this process. */
export async function startSyncWorker({
  connection,
  namespace,
  taskQueue,
  store,
  logger,
}: SyncWorkerOptions): Promise<SyncWorker> {
  if (!existsSync(WORKFLOW_BUNDLE)) {
    throw new Error(`the workflow bundle ${WORKFLOW_BUNDLE} is missing; make it with \`npm run build\``)
  }
  const sender = createSender()
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: { codePath: WORKFLOW_BUNDLE },
    activities: createActivities({ store, sender, logger }),
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
  })
  const stopped = runToEnd(worker, sender)
  stopped.catch(() => undefined)
  return {
    stopped,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown()
      await stopped
    },
  }
}

/**
 * Runs a worker on the configured Temporal until `signal` says to stop.
 * @throws {SyncError} where Temporal or the store cannot be reached, saying what to do
 */
export async function runWorker(config: Config, logger: Logger, signal: AbortSignal): Promise<void> {
  const { connection, address, namespace } = await connectTemporal(config, {}, connectNatively)
  try {
    const store = await openStore(config.databaseFile)
    try {
      const worker = await startSyncWorker({
        connection,
        namespace,
        taskQueue: config.taskQueue,
        store,
        logger,
      })
      logger.info({ address, namespace, taskQueue: config.taskQueue }, 'worker started')
      await Promise.race([worker.stopped, aborted(signal)])
      await worker.stop()
      logger.info('worker stopped')
    } finally {
      await store.close()
    }
  } finally {
    await connection.close()
  }
}

async function runToEnd(worker: Worker, sender: Sender): Promise<void> {
  try {
    await worker.run()
  } finally {
    await sender.close()
  }
}

/** The native connection gives up at the first refusal, when a server may be about to come up. */
async function connectNatively(options: AddressedOptions, timeoutMs: number): Promise<NativeConnection> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      return await NativeConnection.connect(options)
    } catch (error) {
      if (Date.now() + CONNECT_RETRY_INTERVAL_MS > deadline) throw error
      await sleep(CONNECT_RETRY_INTERVAL_MS)
    }
  }
}
