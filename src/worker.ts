import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '@temporalio/client'
import { Worker, type NativeConnection } from '@temporalio/worker'
import type { ObservedAttempt } from './activities/attempt.js'
import type { HeadStarts } from './activities/head-starts.js'
import { createAttemptRecorder } from './activities/attempt-recorder.js'
import { createActivities } from './activities/index.js'
import { createReadDelivery } from './client/read-delivery.js'
import { startEvent } from './client/start-events.js'
import { loadConfig, type Config } from './config.js'
import type { Connector } from './delivery/connectors/connector.js'
import { createSender } from './delivery/send.js'
import { createLogger, type Logger } from './logger.js'
import { createOperationalEvents } from './operational-events/observe-attempts.js'
import { EndpointCache } from './store/endpoint-cache.js'
import type { EndpointStore } from './store/endpoint-store.js'
import { aborted, stopSignal } from './stop-signal.js'
import { openStoreOf } from './store/open-store.js'
import { dataConverterOf, payloadEncryptionOf } from './temporal/data-converter.js'
import type { PayloadEncryption } from './temporal/payload-codec.js'
import { connectNatively } from './temporal/connect-natively.js'
import { connectTemporal } from './temporal/connect.js'
import { offerRateLimits } from './temporal/offer-rate-limits.js'
import { WORKER_TUNING } from './worker-tuning.js'

/** How long attempts that are under way may finish when the worker stops; then they are handed back. */
const SHUTDOWN_GRACE_MS = 10_000

/** How long operational events that are under way may take when the worker stops, in milliseconds. */
const SETTLE_MS = 2_000

/** Written by `npm run build`; the same place seen from src/ and from dist/. */
const WORKFLOW_BUNDLE = fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url))
/** The same workflows with failures that can be encrypted. */
const ENCRYPTED_BUNDLE = fileURLToPath(new URL('../dist/workflow-bundle-encrypted.js', import.meta.url))

export { defineConnector } from './delivery/connectors/connector.js'
export type {
  Connector,
  ConnectorEndpoint,
  ConnectorRequest,
  ConnectorResponse,
} from './delivery/connectors/connector.js'

/** What a worker needs; whoever composes it closes what it passed in. */
export interface SyncWorkerOptions {
  connection: NativeConnection
  namespace: string
  taskQueue: string
  store: EndpointStore
  logger: Logger
  /** How payloads are encrypted; the clients must agree. @default they are neither encrypted nor decrypted */
  encryption?: PayloadEncryption | undefined
  /** Networks that may be reached although they are not public. @default none */
  allowNetworks?: readonly string[] | undefined
  /** What endpoints may name as their `connector`. @default none */
  connectors?: readonly Connector[] | undefined
  /** Whether first attempts are made within the workflow task, which is faster. @default true */
  expressAttempts?: boolean | undefined
  /** Told when the first attempts of an event begin, with its workflow. */
  onFirstAttempts?: ((workflowId: string) => void) | undefined
  /** What an emitter in this process begins before the worker gets to it. */
  headStarts?: HeadStarts | undefined
  /** Told of each attempt that was made. */
  onAttempt?: ((attempt: ObservedAttempt) => void) | undefined
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
  encryption,
  allowNetworks,
  connectors,
  expressAttempts,
  onFirstAttempts,
  headStarts,
  onAttempt,
}: SyncWorkerOptions): Promise<SyncWorker> {
  const codePath = encryption?.encrypt === true ? ENCRYPTED_BUNDLE : WORKFLOW_BUNDLE
  if (!existsSync(codePath)) {
    throw new Error(`the workflow bundle ${codePath} is missing; make it with \`npm run build\``)
  }
  const converter = encryption === undefined ? {} : { dataConverter: dataConverterOf(encryption) }
  const sender = createSender({
    ...(allowNetworks !== undefined && { allowNetworks }),
    ...(connectors !== undefined && { connectors }),
  })
  const endpoints = new EndpointCache({ store, logger })
  const recorder = createAttemptRecorder({ attempts: store.attempts, logger })
  const client = new Client({ connection, namespace, ...converter })
  const operational = createOperationalEvents({
    outages: store.outages,
    endpoints,
    emit: (event) => startEvent(client, taskQueue, { event }),
    logger,
  })
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: { codePath },
    ...converter,
    ...WORKER_TUNING,
    activities: createActivities({
      client,
      taskQueue,
      store,
      endpoints,
      sender,
      logger,
      readDelivery: createReadDelivery({ client, taskQueue }),
      ...(expressAttempts !== undefined && { expressAttempts }),
      ...(onFirstAttempts !== undefined && { onFirstAttempts }),
      ...(headStarts !== undefined && { headStarts }),
      onAttempt: (attempt) => {
        recorder.observe(attempt)
        operational.observe(attempt)
        onAttempt?.(attempt)
      },
    }),
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
  })
  void offerRateLimits(connection, { namespace, taskQueue, logger })
  const stopped = runToEnd(worker, async () => {
    // What is not told by then is on record, and told by the next worker.
    await Promise.race([operational.settle(), sleep(SETTLE_MS, undefined, { ref: false })])
    endpoints.close()
    await sender.close()
    await recorder.close()
  })
  stopped.catch(() => undefined)
  return {
    stopped,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown()
      await stopped
    },
  }
}

/** How a worker process runs. */
export interface RunWorkerOptions {
  /** What endpoints may name as their `connector`. @default none */
  connectors?: readonly Connector[]
  /** @default the environment's */
  config?: Config
  /** @default JSON lines on standard error at `SYNC_LOG_LEVEL` */
  logger?: Logger
  /** Told of each attempt that was made. */
  onAttempt?: (attempt: ObservedAttempt) => void
  /** Stops the worker gracefully. @default at SIGINT or SIGTERM */
  signal?: AbortSignal
}

/**
 * Runs a worker on the configured Temporal until it is told to stop: attempts that are under way finish or
 * are handed back.
 * @throws {SyncError} where Temporal or the store cannot be reached, saying what to do
 */
export async function runWorker({
  connectors,
  config = loadConfig(process.env),
  logger = createLogger(config.logLevel ?? 'info'),
  signal = stopSignal(),
  onAttempt,
}: RunWorkerOptions = {}): Promise<void> {
  const { allowNetworks, expressAttempts, taskQueue } = config
  const { connection, address, namespace, isEmbedded } = await connectTemporal(config, {}, connectNatively)
  try {
    const store = await openStoreOf(config)
    const encryption = payloadEncryptionOf(config, isEmbedded)
    try {
      const worker = await startSyncWorker({
        connection,
        namespace,
        taskQueue,
        store,
        logger,
        encryption,
        allowNetworks,
        connectors,
        expressAttempts,
        onAttempt,
      })
      logger.info({ address, namespace, taskQueue, allowNetworks }, 'worker started')
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

async function runToEnd(worker: Worker, close: () => Promise<void>): Promise<void> {
  try {
    await worker.run()
  } finally {
    await close()
  }
}
