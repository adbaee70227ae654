import { Client } from '@temporalio/client'
import { LOOPBACK_NETWORKS, type Config } from '../config.js'
import type { Connector } from '../delivery/connectors/connector.js'
import type { Logger } from '../logger.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { connectNatively } from '../temporal/connect-natively.js'
import { connectTemporal, type TemporalOptions } from '../temporal/connect.js'
import { dataConverterOf, payloadEncryptionOf } from '../temporal/data-converter.js'
import { startSyncWorker } from '../worker.js'
import { WorkerPace } from './worker-pace.js'

interface OwnWorkerOptions {
  config: Config
  temporal: TemporalOptions | undefined
  store: EndpointStore
  taskQueue: string
  allowNetworks: readonly string[] | undefined
  connectors: readonly Connector[] | undefined
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
    const encryption = payloadEncryptionOf(config, isEmbedded)
    const allowNetworks = options.allowNetworks ?? (isEmbedded ? LOOPBACK_NETWORKS : [])
    const { expressAttempts } = config
    const pace = new WorkerPace()
    const worker = await startSyncWorker({
      ...options,
      connection,
      namespace,
      logger,
      encryption,
      allowNetworks,
      expressAttempts,
      onFirstAttempts: (workflowId) => pace.hasBegun(workflowId),
    })
    worker.stopped.catch((error: unknown) => logger.error({ err: error }, 'the worker has broken down'))
    return {
      client: new Client({ connection, namespace, dataConverter: dataConverterOf(encryption) }),
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
