import type { LookupFunction } from 'node:net'
import { Agent, Pool, type Dispatcher } from 'undici'
import type { AttemptLimits } from '../domain/attempt-limits.js'
import type { TlsSettings } from '../domain/endpoint-auth.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { AddressGuard } from './address-guard.js'
import { createGuardedConnector, type TlsConnection } from './guarded-connect.js'
import { ReuseAwareClient } from './reused-connection.js'
import { VersionCache } from './version-cache.js'

/** Endpoints with certificates of their own whose connections are kept. */
const MAX_OWN_CONNECTIONS = 500

/** Longer headers of a response are a failure. */
const MAX_HEADER_BYTES = 64 * 1024

/** What requests go over. */
export interface Connections {
  /** Kept alive between requests. */
  pooled: Dispatcher
  /** A new connection for each request. */
  fresh: Dispatcher
}

/** The connections of all endpoints: shared, but for those with certificates of their own. */
export interface ConnectionsPool {
  of(endpoint: Endpoint): Connections
  close(): Promise<void>
}

interface ConnectionsOptions {
  limits: AttemptLimits
  guard: AddressGuard
  lookup?: LookupFunction | undefined
  onTlsConnection?: ((connection: TlsConnection) => void) | undefined
}

export function createConnectionsPool(options: ConnectionsOptions): ConnectionsPool {
  const shared = createConnections(options)
  const own = new VersionCache<Connections>({
    create: ({ tls }) => createConnections(options, tls),
    // Attempts that are under way finish on the old certificates.
    drop: ({ pooled, fresh }) => void Promise.allSettled([pooled.close(), fresh.close()]),
    limit: MAX_OWN_CONNECTIONS,
  })
  return {
    of: (endpoint) => (endpoint.tls === undefined ? shared : own.get(endpoint)),
    close: async () => {
      const all = [shared, ...own.values()].flatMap(({ pooled, fresh }) => [pooled, fresh])
      await Promise.all(all.map((dispatcher) => dispatcher.destroy()))
    },
  }
}

function createConnections(
  { limits, guard, lookup, onTlsConnection }: ConnectionsOptions,
  tls?: TlsSettings,
): Connections {
  const options: Agent.Options = {
    connect: createGuardedConnector({
      guard,
      timeoutMs: limits.connectTimeoutMs,
      tls,
      lookup,
      onTlsConnection,
    }),
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    factory: (origin, poolOptions: Pool.Options) =>
      new Pool(origin, {
        ...poolOptions,
        factory: (target, clientOptions) => new ReuseAwareClient(target, clientOptions),
      }),
  }
  return { pooled: new Agent(options), fresh: new Agent({ ...options, pipelining: 0 }) }
}
