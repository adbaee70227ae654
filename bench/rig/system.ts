import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Client } from '@temporalio/client'
import { NativeConnection } from '@temporalio/worker'
import { pino } from 'pino'
import { SyncService, type SyncServiceOptions } from '../../dist/client.js'
import { LOOPBACK_NETWORKS } from '../../dist/config.js'
import { generateKey, KeyRing } from '../../dist/encryption/key-ring.js'
import type { EndpointStore } from '../../dist/store/endpoint-store.js'
import type { Logger } from '../../dist/logger.js'
import { openStore } from '../../dist/store/open-store.js'
import type { Temporal } from './temporal.js'

/** The system under test, as an application has it: emitters and a worker in this process. */
export interface System extends AsyncDisposable {
  /** A connection beside the system's own, to measure and to look with. */
  readonly connection: NativeConnection
  readonly client: Client
  readonly namespace: string
  readonly taskQueue: string
  readonly store: EndpointStore
  readonly service: SyncService
  readonly logger: Logger
}

/** Starts it on the server, with an empty endpoint store and its log in `folder`. */
export async function startSystem(
  { address, namespace }: Temporal,
  folder: string,
  grouping: NonNullable<SyncServiceOptions['grouping']>,
): Promise<System> {
  const taskQueue = `bench-${randomUUID()}`
  // Each attempt is logged as in production.
  const logger = pino({ level: 'info' }, pino.destination({ dest: join(folder, 'system.log'), sync: true }))
  const store = await openStore({
    database: { kind: 'sqlite', file: join(folder, 'endpoints.db') },
    keys: new KeyRing([generateKey()]),
  })
  const connection = await NativeConnection.connect({ address })
  const service = await SyncService.connect({
    env: { SYNC_DATA_DIR: folder },
    temporal: { address, namespace },
    worker: true,
    store,
    taskQueue,
    allowNetworks: LOOPBACK_NETWORKS,
    grouping,
    logger,
  })
  return {
    connection,
    client: new Client({ connection, namespace }),
    namespace,
    taskQueue,
    store,
    service,
    logger,
    [Symbol.asyncDispose]: async () => {
      await service.close()
      await store.close()
      await connection.close()
    },
  }
}
