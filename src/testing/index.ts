import { randomUUID } from 'node:crypto'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { SyncService, type Delivery, type Receipt } from '../client.js'
import { loadConfig, LOOPBACK_NETWORKS, type Config } from '../config.js'
import type { Connector } from '../delivery/connectors/connector.js'
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes.js'
import { findTemporalCli } from '../embedded/temporal-cli.js'
import { findTimeSkippingServer } from '../embedded/test-server.js'
import { generateKey, KeyRing } from '../encryption/key-ring.js'
import { createLogger, type Logger } from '../logger.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { openStore } from '../store/open-store.js'
import { dataConverterOf } from '../temporal/data-converter.js'
import type { PayloadEncryption } from '../temporal/payload-codec.js'
import { addSearchAttributes } from '../temporal/search-attributes.js'
import { startSyncWorker, type SyncWorker } from '../worker.js'
import { deliveriesOf } from '../client/grouped-events.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import type { SyncEventResult, SyncGroupResult } from '../workflows/messages.js'
import { startReceiver, type Receiver, type Respond } from './receiver.js'

export { startReceiver, type ReceivedRequest, type Receiver, type Respond } from './receiver.js'

const START_TRIES = 5

/** How a test environment is made. */
export interface SyncTestEnvironmentOptions {
  /** What endpoints may name as their `connector`. @default none */
  connectors?: readonly Connector[]
  /** Opens the endpoint store, which is closed with the environment. @default an SQLite database in memory */
  openStore?: () => Promise<EndpointStore>
  /** @default errors only, on standard error */
  logger?: Logger
  /** Keys that decrypt what Temporal holds. @default none */
  encryptionKeys?: KeyRing
  /** Whether `encryptionKeys` encrypt what Temporal gets too. @default false */
  encryptPayloads?: boolean
  /** Whether events that are emitted at the same time go to Temporal together. @default off */
  grouping?: 'off' | 'auto'
  /** Told of each step where the Temporal server must be fetched or built first, which takes minutes. */
  onProgress?: (message: string) => void
}

/**
 * The whole system for a test: a Temporal server, a worker, an empty endpoint store and a connected
 * `SyncService`, inside a `TestWorkflowEnvironment` of `@temporalio/testing`.
 */
export class SyncTestEnvironment implements AsyncDisposable {
  readonly #receivers: Receiver[] = []
  #worker: SyncWorker | undefined

  private constructor(
    /** The service under test. */
    readonly syncService: SyncService,
    /** The environment of `@temporalio/testing`: its client, its connection, its time. */
    readonly temporal: TestWorkflowEnvironment,
    /** The task queue of this environment's worker, and of no other. */
    readonly taskQueue: string,
    readonly store: EndpointStore,
    private readonly logger: Logger,
    private readonly connectors: readonly Connector[],
    private readonly encryption: PayloadEncryption | undefined,
  ) {}

  /** Runs on a Temporal dev server of its own, in memory and in real time. */
  static async createLocal(options: SyncTestEnvironmentOptions = {}): Promise<SyncTestEnvironment> {
    const { path } = await findTemporalCli(searchOptions(loadConfig(process.env), options))
    const searchAttributes = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => `${name}=${type}`)
    return SyncTestEnvironment.#createIn(
      await TestWorkflowEnvironment.createLocal({
        server: {
          executable: { type: 'existing-path', path },
          extraArgs: searchAttributes.flatMap((attribute) => ['--search-attribute', attribute]),
        },
        ...clientOptions(options),
      }),
      options,
    )
  }

  /** Runs on the time-skipping test server: while a result is awaited, timers and retries take no time. */
  static async createTimeSkipping(options: SyncTestEnvironmentOptions = {}): Promise<SyncTestEnvironment> {
    const config = loadConfig(process.env)
    const { path } = await findTimeSkippingServer({
      ...searchOptions(config, options),
      path: config.testServerPath,
    })
    const temporal = await startTimeSkipping(path, options)
    // The dev server has them from its command line; here they are added as to any server.
    await addSearchAttributes(temporal.connection, temporal.namespace ?? 'default')
    return SyncTestEnvironment.#createIn(temporal, options)
  }

  /** Runs on a Temporal server that is there already. */
  static async createFromExistingServer(
    address: string,
    options: SyncTestEnvironmentOptions = {},
  ): Promise<SyncTestEnvironment> {
    return SyncTestEnvironment.#createIn(
      await TestWorkflowEnvironment.createFromExistingServer({ address, ...clientOptions(options) }),
      options,
    )
  }

  /** Starts a receiver that ends with this environment; it answers 200 until told otherwise. */
  async startReceiver(...responses: Respond[]): Promise<Receiver> {
    const receiver = await startReceiver(...responses)
    this.#receivers.push(receiver)
    return receiver
  }

  /** Waits until every delivery of the event has been delivered or discarded. */
  async waitForDeliveries({
    workflowId,
    eventId,
  }: Pick<Receipt, 'workflowId'> & Partial<Receipt>): Promise<Delivery[]> {
    const result: SyncEventResult | SyncGroupResult = await this.temporal.client.workflow
      .getHandle(workflowId)
      .result()
    if ('deliveries' in result) {
      const parts = await Promise.all((result.parts ?? []).map((part) => this.waitForDeliveries(part)))
      return [...result.deliveries, ...parts.flat()]
    }
    const event = result.events.find(({ id }) => id === eventId)
    if (event === undefined) throw new Error(`group ${workflowId} has no event ${eventId}`)
    return (
      deliveriesOf(result, event).deliveries ?? this.waitForDeliveries({ workflowId: workflowIdOf(event) })
    )
  }

  /** Starts a worker in place of one that was stopped; the first one is started with the environment. */
  async startWorker(): Promise<void> {
    await this.stopWorker()
    this.#worker = await startSyncWorker({
      connection: this.temporal.nativeConnection,
      namespace: this.temporal.namespace ?? 'default',
      taskQueue: this.taskQueue,
      store: this.store,
      logger: this.logger,
      encryption: this.encryption,
      allowNetworks: LOOPBACK_NETWORKS,
      connectors: this.connectors,
    })
  }

  /** Stops the worker, as a deployment does: what is emitted meanwhile waits in Temporal. */
  async stopWorker(): Promise<void> {
    await this.#worker?.stop()
    this.#worker = undefined
  }

  /** Stops everything that was started for this environment. */
  async close(): Promise<void> {
    await this.syncService.close()
    await Promise.all(this.#receivers.map((receiver) => receiver.stop()))
    await this.stopWorker()
    await this.store.close()
    await this.temporal.teardown()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  static async #createIn(
    temporal: TestWorkflowEnvironment,
    options: SyncTestEnvironmentOptions,
  ): Promise<SyncTestEnvironment> {
    const { logger = createLogger('error'), connectors = [], openStore: open = openInMemory } = options
    const taskQueue = `external-sync-test-${randomUUID()}`
    const store = await open()
    const syncService = new SyncService({
      client: temporal.client,
      store,
      taskQueue,
      logger,
      allowNetworks: LOOPBACK_NETWORKS,
      grouping: options.grouping ?? 'off',
    })
    const environment = new SyncTestEnvironment(
      syncService,
      temporal,
      taskQueue,
      store,
      logger,
      connectors,
      encryptionOf(options),
    )
    await environment.startWorker()
    return environment
  }
}

function openInMemory(): Promise<EndpointStore> {
  const keys = new KeyRing([generateKey()])
  return openStore({ database: { kind: 'sqlite', file: ':memory:' }, keys })
}

/** The SDK gives the server 5 s, in which a busy machine does not always get its Java up. */
async function startTimeSkipping(
  path: string,
  options: SyncTestEnvironmentOptions,
): Promise<TestWorkflowEnvironment> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: 'existing-path', path } },
        ...clientOptions(options),
      })
    } catch (error) {
      if (tries === START_TRIES || !String(error).includes('did not start within')) throw error
    }
  }
}

function encryptionOf({
  encryptionKeys,
  encryptPayloads = false,
}: SyncTestEnvironmentOptions): PayloadEncryption | undefined {
  return encryptionKeys && { keys: () => encryptionKeys, encrypt: encryptPayloads }
}

function clientOptions(options: SyncTestEnvironmentOptions) {
  const encryption = encryptionOf(options)
  return encryption === undefined ? {} : { client: { dataConverter: dataConverterOf(encryption) } }
}

function searchOptions(
  { temporalPath, cacheDir, searchPath }: Config,
  { onProgress }: SyncTestEnvironmentOptions,
) {
  return { path: temporalPath, cacheDir, searchPath, onProgress }
}
