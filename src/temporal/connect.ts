import type { Connection, ConnectionOptions } from '@temporalio/client'
import { temporalDataFile, type Config } from '../config.js'
import { SyncError } from '../domain/errors.js'
import { readRunningServer } from '../embedded/server-record.js'
import { checkNamespace } from './check-namespace.js'

/** Where Temporal's own tools expect a server. */
const DEFAULT_ADDRESS = 'localhost:7233'
const DEFAULT_NAMESPACE = 'default'
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000

/** What a caller may say of Temporal instead of the environment. */
export interface TemporalOptions extends Partial<AddressedOptions> {
  /** @default `TEMPORAL_NAMESPACE`, else default */
  namespace?: string
  /** How long to try, in milliseconds. @default 10000 */
  connectTimeoutMs?: number
}

/** A connection and what it leads to. */
export interface TemporalConnection<C> {
  connection: C
  address: string
  namespace: string
  /** Whether it is the embedded server that runs on `SYNC_DATA_DIR`. */
  isEmbedded: boolean
}

/** What opening a connection is given. */
export interface AddressedOptions extends Pick<ConnectionOptions, 'tls' | 'metadata'> {
  address: string
  apiKey?: string
}

type Connected = Pick<Connection, 'workflowService' | 'operatorService'> & { close(): Promise<void> }

/**
 * Opens a connection to the Temporal that was given, else configured, else runs on `SYNC_DATA_DIR`, and
 * checks the namespace.
 * @throws {SyncError} `TEMPORAL_UNREACHABLE` naming the address, how long it was tried, and how to start one;
 * `TEMPORAL_NAMESPACE_MISSING`, `TEMPORAL_SEARCH_ATTRIBUTE_MISSING`
 */
export async function connectTemporal<C extends Connected>(
  config: Config,
  { namespace, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, ...given }: TemporalOptions = {},
  open: (options: AddressedOptions, timeoutMs: number) => Promise<C>,
): Promise<TemporalConnection<C>> {
  const configured = config.temporal
  const { tls, apiKey, metadata } = configured.connectionOptions
  const known = given.address ?? configured.connectionOptions.address
  const embedded = known === undefined ? await embeddedAddress(config) : undefined
  const options: AddressedOptions = {
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata !== undefined && { metadata }),
    ...given,
    address: known ?? embedded ?? DEFAULT_ADDRESS,
  }
  const target = {
    address: options.address,
    namespace: namespace ?? configured.namespace ?? DEFAULT_NAMESPACE,
    isEmbedded: embedded !== undefined,
  }
  const connection = await open(options, connectTimeoutMs).catch((cause: unknown) => {
    throw unreachable(target.address, connectTimeoutMs, cause)
  })
  try {
    await checkNamespace(connection, target.namespace, target.address)
  } catch (error) {
    await connection.close()
    throw error
  }
  return { connection, ...target }
}

async function embeddedAddress(config: Config): Promise<string | undefined> {
  return (await readRunningServer(temporalDataFile(config)))?.address
}

function unreachable(address: string, triedForMs: number, cause: unknown): SyncError {
  return new SyncError(
    'TEMPORAL_UNREACHABLE',
    `no Temporal server answered at ${address} within ${triedForMs / 1_000} s; ` +
      'start one with `npx external-sync start`, or set TEMPORAL_ADDRESS to one that runs',
    { cause },
  )
}
