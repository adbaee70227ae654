import { Client } from '@temporalio/client'
import { LOOPBACK_NETWORKS, type Config } from '../config.js'
import type { Connector } from '../delivery/connectors/connector.js'
import type { Logger } from '../logger.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { connectNatively } from '../temporal/connect-natively.js'
import { connectTemporal, type TemporalOptions } from '../temporal/connect.js'
import { dataConverterOf, payloadEncryptionOf } from '../temporal/data-converter.js'
import type { PayloadEncryption } from '../temporal/payload-codec.js'
import { startSyncWorker, type SyncWorker, type SyncWorkerOptions } from '../worker.js'
import { WorkerPace } from './worker-pace.js'

interface OwnWorkerOptions {
  config: Config
  temporal: TemporalOptions | undefined
  store: EndpointStore
  taskQueue: string
  allowNetworks: readonly string[] | undefined
  connectors?: readonly Connector[]
  onAttempt?: SyncWorkerOptions['onAttempt']
  logger: Logger
}

/** A client and a worker on one connection, so that what the one starts begins at once on the other. */
export interface OwnWorker {
  client: Client
  pace: WorkerPace
  allowNetworks: readonly string[]
  /** Stops the worker, then closes the connection. */
  close(): Promise<void>
}

/** Starts a worker in the emitter's process. Only this module of the client's needs the worker's native code. */
export async function startOwnWorker({
  config,
  temporal,
  logger,
  ...options
}: OwnWorkerOptions): Promise<OwnWorker> {
  const { connection, namespace, isEmbedded } = await connectTemporal(config, temporal, connectNatively)
  try {
    const allowNetworks = options.allowNetworks ?? (isEmbedded ? LOOPBACK_NETWORKS : [])
    const { worker, client, pace } = await startPacedWorker({
      ...options,
      connection,
      namespace,
      logger,
      encryption: payloadEncryptionOf(config, isEmbedded),
      allowNetworks,
      expressAttempts: config.expressAttempts,
    })
    worker.stopped.catch((error: unknown) => logger.error({ err: error }, 'the worker has broken down'))
    return {
      client,
      pace,
      allowNetworks,
      close: async () => {
        await worker.stop().catch(() => undefined)
        await connection.close()
      },
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Starts a worker, with a client on its connection, and what keeps an emitter with that client in pace with it. */
export async function startPacedWorker(
  options: SyncWorkerOptions & { encryption: PayloadEncryption },
): Promise<{ worker: SyncWorker; client: Client; pace: WorkerPace }> {
  const { connection, namespace, encryption } = options
  const pace = new WorkerPace()
  const worker = await startSyncWorker({
    ...options,
    onFirstAttempts: (workflowId) => pace.hasBegun(workflowId),
    headStarts: pace.headStarts,
  })
  const client = new Client({ connection, namespace, dataConverter: dataConverterOf(encryption) })
  return { worker, client, pace }
}
