import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { NativeConnection } from '@temporalio/worker'
import { startPacedWorker } from './client/own-worker.js'
import { SyncService } from './client.js'
import { LOOPBACK_NETWORKS, temporalDataFile, type Config } from './config.js'
import { SyncError } from './domain/errors.js'
import { findTemporalCli } from './embedded/temporal-cli.js'
import { startTemporalServer } from './embedded/temporal-server.js'
import type { Logger } from './logger.js'
import type { EndpointStore } from './store/endpoint-store.js'
import { openStoreOf } from './store/open-store.js'
import { payloadEncryptionOf } from './temporal/data-converter.js'
import type { SyncWorkerOptions } from './worker.js'

/** How the embedded system starts. */
export interface EmbeddedSystemOptions {
  config: Config
  logger: Logger
  /** Port of Temporal. @default 7233, or any free one when that is taken */
  port?: number | undefined
  /** Port of the Temporal UI. @default 8233, or any free one when that is taken */
  uiPort?: number | undefined
  /** Told of each step, of which fetching or building the server takes minutes. */
  onProgress?: ((message: string) => void) | undefined
  /** Told of each attempt that the worker makes. */
  onAttempt?: SyncWorkerOptions['onAttempt']
  /** Ends the start. */
  signal?: AbortSignal | undefined
}

/** A Temporal server and a worker of this process, on the files of `SYNC_DATA_DIR`. */
export interface EmbeddedSystem {
  /** `host:port` of Temporal. */
  readonly address: string
  readonly namespace: string
  /** Where the Temporal UI is. */
  readonly uiUrl: string
  readonly store: EndpointStore
  /** On the worker's connection, so that what is emitted here is attempted at once. */
  readonly service: SyncService
  /** Networks that endpoints may be in although they are not public: `SYNC_ALLOW_NETWORKS`, else loopback. */
  readonly allowNetworks: readonly string[]
  /** Settles when one of the parts has stopped by itself; rejects with the reason. */
  readonly failed: Promise<never>
  /** Stops the worker, then the server. What has not been delivered waits in the files. */
  stop(): Promise<void>
}

/**
 * Starts the embedded system, for one machine and no other service.
 * @throws {SyncError} where a part cannot be found or started, saying what to do
 */
export async function startEmbeddedSystem(options: EmbeddedSystemOptions): Promise<EmbeddedSystem> {
  const opened: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close()
  }
  try {
    return { ...(await startParts(options, opened)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts one part after the other and notes in `opened` how each is stopped. */
async function startParts(
  { config, logger, port, uiPort, onProgress, onAttempt, signal }: EmbeddedSystemOptions,
  opened: (() => Promise<unknown>)[],
): Promise<Omit<EmbeddedSystem, 'stop'>> {
  const { temporalPath, cacheDir, searchPath, dataDir, taskQueue, allowNetworks = LOOPBACK_NETWORKS } = config
  // The store in it holds secrets.
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const cli = await findTemporalCli({ path: temporalPath, cacheDir, searchPath, onProgress, signal })

  onProgress?.('starting the Temporal server')
  const server = await startTemporalServer({
    cliPath: cli.path,
    dataFile: temporalDataFile(config),
    logFile: join(dataDir, 'temporal.log'),
    port,
    uiPort,
    signal,
  })
  opened.push(() => server.stop())

  onProgress?.('starting the worker')
  const store = await openStoreOf(config)
  opened.push(() => store.close())
  const { address, namespace, uiUrl } = server
  const connection = await NativeConnection.connect({ address })
  opened.push(() => connection.close())
  const { worker, client, pace } = await startPacedWorker({
    connection,
    namespace,
    taskQueue,
    store,
    logger,
    encryption: payloadEncryptionOf(config, true),
    allowNetworks,
    expressAttempts: config.expressAttempts,
    onAttempt,
  })
  opened.push(() => worker.stop())
  const service = new SyncService({
    client,
    pace,
    store,
    taskQueue,
    allowNetworks,
    grouping: config.grouping,
    maxDataBytes: config.maxDataBytes,
    logger,
  })
  opened.push(() => service.close())

  const failed = Promise.race([
    server.exited.then(() => endedByItself('Temporal server')),
    worker.stopped.then(() => endedByItself('worker')),
  ])
  failed.catch(() => undefined)
  return { address, namespace, uiUrl, store, service, allowNetworks, failed }
}

function endedByItself(part: string): never {
  throw new SyncError('TEMPORAL_SERVER_FAILED', `the ${part} has stopped by itself`)
}
