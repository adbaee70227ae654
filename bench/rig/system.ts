import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import { pino } from 'pino'
import { SyncService } from '../../src/client.js'
import { LOOPBACK_NETWORKS } from '../../src/config.js'
import { generateKey, KeyRing } from '../../src/encryption/key-ring.js'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import { openStore } from '../../src/store/open-store.js'
import { startSyncWorker } from '../../src/worker.js'
import type { Temporal } from './temporal.js'

/** The system under test: emitters and a worker in this process, on one connection. */
export interface System extends AsyncDisposable {
  readonly connection: NativeConnection
  readonly client: Client
  readonly namespace: string
  readonly taskQueue: string
  readonly store: EndpointStore
  /** Each event by itself. */
  readonly service: SyncService
  /** Events in groups under load. */
  readonly groupingService: SyncService
  /** Starts through `client` so far, and how many of them were eager. */
  readonly starts: { all: number; eager: number }
}

/** Starts it on the server, with an empty endpoint store and the worker's log in `folder`. */
export async function startSystem({ address, namespace }: Temporal, folder: string): Promise<System> {
  const taskQueue = `bench-${randomUUID()}`
  // Each attempt is logged as in production.
  const logger = pino({ level: 'info' }, pino.destination({ dest: join(folder, 'worker.log'), sync: true }))
  const store = await openStore({
    database: { kind: 'sqlite', file: join(folder, 'endpoints.db') },
    keys: new KeyRing([generateKey()]),
  })
  const connection = await NativeConnection.connect({ address })
  const starts = { all: 0, eager: 0 }
  const client = countingClient(connection, namespace, starts)
  const worker = await startSyncWorker({
    connection,
    namespace,
    taskQueue,
    store,
    logger,
    allowNetworks: LOOPBACK_NETWORKS,
  })
  const options = { client, store, taskQueue, logger }
  const service = new SyncService({ ...options, grouping: 'off' })
  const groupingService = new SyncService({ ...options, grouping: 'auto' })
  return {
    connection,
    client,
    namespace,
    taskQueue,
    store,
    service,
    groupingService,
    starts,
    [Symbol.asyncDispose]: async () => {
      await service.close()
      await groupingService.close()
      await worker.stop()
      await store.close()
      await connection.close()
    },
  }
}

function countingClient(
  connection: NativeConnection,
  namespace: string,
  starts: { all: number; eager: number },
): Client {
  return new Client({
    connection,
    namespace,
    interceptors: {
      workflow: [
        {
          startWithDetails: async (input, next) => {
            const output = await next(input)
            starts.all += 1
            if (output.eagerlyStarted) starts.eager += 1
            return output
          },
        },
      ],
    },
  })
}
