import { Client } from '@temporalio/client'
import { z } from 'zod'
import type { ObservedAttempt } from '../activities/attempt.js'
import { LOOPBACK_NETWORKS, type Config } from '../config.js'
import { parseInput } from '../domain/parse-input.js'
import { wholeNumberUpTo } from '../domain/whole-number.js'
import type { Connector } from '../delivery/connectors/connector.js'
import type { Logger } from '../logger.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { openStoreOf } from '../store/open-store.js'
import { dataConverterOf, payloadEncryptionOf } from '../temporal/data-converter.js'
import { WorkerPace } from './worker-pace.js'
import { StartQueue } from './start-queue.js'
import { createStatusReader, type StatusReader } from './status/status-reader.js'
import { connectClient, connectTemporal, type TemporalOptions } from '../temporal/connect.js'

/** What a service may be given instead of reading it from the environment. */
export interface SyncServiceOptions {
  /** Variables to read in place of the process's own. @default process.env */
  env?: NodeJS.ProcessEnv
  /**
   * Address, TLS, API key and namespace of Temporal. @default `TEMPORAL_*`, else the embedded server that
   * runs on `SYNC_DATA_DIR`, else localhost:7233
   */
  temporal?: TemporalOptions
  /**
   * A Temporal client to use as it is, in place of `temporal`; it stays open on `close`. Its own data converter
   * says whether payloads are encrypted.
   */
  client?: Client
  /** Told by the worker on the connection of `client`, where there is one. @internal */
  pace?: WorkerPace
  /** An endpoint store to use, in place of `DATABASE_URL`; it stays open on `close`. */
  store?: EndpointStore
  /** Who changes endpoints here, for their history. @default the user and the host, such as `alice@ops-1` */
  actor?: string
  /**
   * Runs a worker in this process too, on the same connection: what is emitted here is attempted at once, without
   * a way through Temporal's queue. Its `connectors` are what endpoints may name as theirs; `onAttempt` is told of
   * each attempt that it makes. Not with `client`.
   * @default none: workers run elsewhere
   */
  worker?: boolean | OwnWorkerSettings
  /** @default `SYNC_TASK_QUEUE`, else external-sync */
  taskQueue?: string
  /**
   * Networks that `testEndpoint` may reach although they are not public.
   * @default `SYNC_ALLOW_NETWORKS`, else loopback where the Temporal server is the embedded one, else none
   */
  allowNetworks?: readonly string[]
  /**
   * `auto`: events that are emitted while others are being accepted go to Temporal together, which is many times
   * faster. Whether one was emitted before is then known within this process only. @default `SYNC_GROUPING`, else off
   */
  grouping?: Config['grouping']
  /** Largest data of an event in bytes of JSON. @default `SYNC_MAX_DATA_BYTES`, else 262144 */
  maxDataBytes?: number
  /** Where failures go that nobody awaits. @default warnings and errors as JSON on standard error */
  logger?: Logger
}

/** A worker in the emitter's process. */
interface OwnWorkerSettings {
  connectors?: readonly Connector[]
  onAttempt?: (attempt: ObservedAttempt) => void
}

const optionsSchema = z
  .strictObject(
    {
      env: z.record(z.string(), z.string().optional()).optional(),
      temporal: z
        .strictObject(
          {
            address: z.string('host:port').min(1, 'host:port').optional(),
            namespace: z.string('a namespace').min(1, 'a namespace').optional(),
            tls: z.unknown().optional(),
            apiKey: z.unknown().optional(),
            metadata: z.unknown().optional(),
            connectTimeoutMs: z.number('milliseconds').positive('more than 0').optional(),
          },
          'an object of connection options',
        )
        .optional(),
      client: z.instanceof(Object, { error: 'a Temporal Client' }).optional(),
      pace: z.instanceof(WorkerPace).optional(),
      worker: z
        .union(
          [
            z.boolean(),
            z.strictObject({
              connectors: z.array(z.instanceof(Object)).optional(),
              onAttempt: z.instanceof(Function).optional(),
            }),
          ],
          'true, false or an object of connectors and onAttempt',
        )
        .optional(),
      store: z.instanceof(Object, { error: 'an EndpointStore' }).optional(),
      actor: z.string('a string').min(1, 'a name').max(200, 'at most 200 characters').optional(),
      taskQueue: z.string('a string').min(1, 'a task queue').max(200, 'at most 200 characters').optional(),
      allowNetworks: z.array(z.string(), 'an array of networks').optional(),
      grouping: z.enum(['off', 'auto'], 'off or auto').optional(),
      maxDataBytes: wholeNumberUpTo(1024 * 1024).optional(),
      logger: z.instanceof(Object, { error: 'a pino logger' }).optional(),
    },
    'an object of options',
  )
  .refine(({ client, worker = false }) => client === undefined || worker === false, {
    path: ['worker'],
    error: 'none beside client, as a worker needs a connection of its own kind',
  })

/** @throws {InvalidInputError} on an option that does not exist or holds what it cannot */
export function checkOptions(options: SyncServiceOptions): void {
  parseInput(optionsSchema, options, { subject: 'SyncService options', sensitive: ['temporal', 'env'] })
}

/** What a connected service works with. */
export interface ServiceParts {
  client: Client
  store: EndpointStore
  taskQueue: string
  starts: StartQueue
  readStatus: StatusReader
  allowNetworks: readonly string[]
  /** Closes what was opened here. */
  close(): Promise<void>
}

/** Opens the store and the connection, or uses those that were given. */
export async function openServiceParts(
  options: SyncServiceOptions,
  config: Config,
  logger: () => Logger,
): Promise<ServiceParts> {
  const taskQueue = options.taskQueue ?? config.taskQueue
  const store = options.store ?? (await openStoreOf(config, options.actor))
  const closeStore = async (): Promise<void> => {
    if (options.store === undefined) await store.close()
  }
  try {
    const { worker = false } = options
    const opened = worker === false ? await openClient(options, config) : await withWorker(worker)
    const { client, pace, allowNetworks, close } = opened
    return {
      client,
      store,
      taskQueue,
      starts: new StartQueue({ client, taskQueue, grouping: options.grouping ?? config.grouping, pace }),
      readStatus: createStatusReader({ client, store, taskQueue }),
      allowNetworks,
      close: async () => {
        await close()
        await closeStore()
      },
    }
  } catch (error) {
    await closeStore()
    throw error
  }

  async function withWorker(worker: true | OwnWorkerSettings): Promise<OpenedClient> {
    const { startOwnWorker } = await import('./own-worker.js')
    return startOwnWorker({
      config,
      temporal: options.temporal,
      store,
      taskQueue,
      allowNetworks: options.allowNetworks ?? config.allowNetworks,
      ...(worker !== true && worker),
      logger: logger(),
    })
  }
}

type OpenedClient = Pick<ServiceParts, 'client' | 'allowNetworks' | 'close'> & {
  pace?: WorkerPace
}

async function openClient(options: SyncServiceOptions, config: Config): Promise<OpenedClient> {
  const allowNetworks = options.allowNetworks ?? config.allowNetworks
  if (options.client !== undefined) {
    const { client, pace } = options
    return {
      client,
      allowNetworks: allowNetworks ?? [],
      close: () => Promise.resolve(),
      ...(pace !== undefined && { pace }),
    }
  }
  const opened = await connectTemporal(config, options.temporal, connectClient)
  const { connection, namespace, isEmbedded } = opened
  const close = (): Promise<void> => connection.close()
  try {
    const dataConverter = dataConverterOf(payloadEncryptionOf(config, isEmbedded))
    return {
      client: new Client({ connection, namespace, dataConverter }),
      allowNetworks: allowNetworks ?? (isEmbedded ? LOOPBACK_NETWORKS : []),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
