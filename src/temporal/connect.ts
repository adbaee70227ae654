import { Connection } from '@temporalio/client'
import { temporalDataFile, type Config } from '../config.js'
import { readRunningServer } from '../embedded/server-record.js'
import type { AddressedOptions } from './addressed-options.js'
import { checkNamespace } from './check-namespace.js'
import { explainFailure } from './connection-fault.js'

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
  /** How it is secured, in words: `without TLS`, `over mutual TLS`, `over TLS, with an API key`. */
  security: string
}

/** Opens a connection, within this time. */
type OpenConnection<C> = (options: AddressedOptions, timeoutMs: number) => Promise<C>

/** What of the configuration says where Temporal is. */
type TemporalLocation = Pick<Config, 'temporal' | 'dataDir'>

type Connected = Pick<Connection, 'workflowService' | 'operatorService'> & { close(): Promise<void> }

/**
 * Opens a connection to the Temporal that was given, else configured, else runs on `SYNC_DATA_DIR`, and
 * checks the namespace.
 * @throws {SyncError} as {@link openTemporal} does; `TEMPORAL_NAMESPACE_MISSING`,
 * `TEMPORAL_SEARCH_ATTRIBUTE_MISSING`, `TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH`
 */
export async function connectTemporal<C extends Connected>(
  config: TemporalLocation,
  options: TemporalOptions | undefined,
  open: OpenConnection<C>,
): Promise<TemporalConnection<C>> {
  const opened = await openTemporal(config, options, open)
  try {
    await checkNamespace(opened.connection, opened.namespace, opened.address)
  } catch (error) {
    await opened.connection.close()
    throw error
  }
  return opened
}

/**
 * Opens a connection as {@link connectTemporal} does, whatever the namespace.
 * @throws {SyncError} `TEMPORAL_UNREACHABLE` naming the address, how long it was tried, and how to start one;
 * `TEMPORAL_TLS_FAILED` where a certificate is missing or not trusted; `TEMPORAL_ACCESS_DENIED` where the
 * server refuses the API key or the certificate
 */
export async function openTemporal<C>(
  config: TemporalLocation,
  { namespace, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, ...given }: TemporalOptions = {},
  open: OpenConnection<C>,
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
  const connection = await open(options, connectTimeoutMs).catch(async (failure: unknown) => {
    throw await explainFailure(options, connectTimeoutMs, failure)
  })
  return {
    connection,
    address: options.address,
    namespace: namespace ?? configured.namespace ?? DEFAULT_NAMESPACE,
    isEmbedded: embedded !== undefined,
    security: describeSecurity(options),
  }
}

/** Opens the connection that a client uses, and leaves nothing open where that fails. */
export async function connectClient(options: AddressedOptions, connectTimeout: number): Promise<Connection> {
  const connection = Connection.lazy({ ...options, connectTimeout })
  try {
    await connection.ensureConnected()
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

function describeSecurity({ tls, apiKey }: AddressedOptions): string {
  const isPlain = tls === false || tls === null || (tls === undefined && apiKey === undefined)
  const isMutual = typeof tls === 'object' && tls !== null && Boolean(tls.clientCertPair)
  const transport = isPlain ? 'without TLS' : isMutual ? 'over mutual TLS' : 'over TLS'
  return apiKey === undefined ? transport : `${transport}, with an API key`
}

async function embeddedAddress(config: TemporalLocation): Promise<string | undefined> {
  return (await readRunningServer(temporalDataFile(config)))?.address
}
