import dns from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import type { TlsSettings } from '../domain/endpoint-auth.js'
import type { AddressGuard } from './address-guard.js'
import { AttemptError } from './attempt-result.js'

/** What a TLS connection was made with. */
export interface TlsConnection {
  /** Such as `TLSv1.3`. */
  protocol: string
  issuer: string
  /** When the certificate ends, RFC 3339. */
  validTo: string
}

interface GuardedConnectOptions {
  guard: AddressGuard
  /** Until the connection stands, TLS included. */
  timeoutMs: number
  /** @default the system's CAs, no client certificate */
  tls?: TlsSettings | undefined
  /** @default the system's */
  lookup?: LookupFunction | undefined
  /** Told of each TLS connection that was made. */
  onTlsConnection?: ((connection: TlsConnection) => void) | undefined
}

/**
 * Connects as undici does, but only to addresses that the guard allows. What is checked is what is connected
 * to: the addresses that this very lookup has found, and the peer's own once the connection stands, so that a
 * name that changes between two lookups gains nothing (DNS rebinding).
 */
export function createGuardedConnector(options: GuardedConnectOptions): buildConnector.connector {
  const connectors = new Map(
    ['http:', 'https:'].map((protocol) => [protocol, connectorFor(protocol, options)] as const),
  )
  return (target, callback) => {
    const connect = connectors.get(target.protocol)
    if (connect === undefined)
      callback(refused(target.hostname, `a URL of the scheme ${target.protocol}`), null)
    else connect(target, callback)
  }
}

function connectorFor(
  protocol: string,
  { guard, timeoutMs, tls = {}, lookup = dns.lookup, onTlsConnection }: GuardedConnectOptions,
): buildConnector.connector {
  const connect = buildConnector({
    ...tls,
    rejectUnauthorized: true,
    timeout: timeoutMs,
    lookup: guardedLookup(guard, protocol, lookup),
  })
  return (target, callback) => {
    // No lookup is made for an address, so that it is checked here.
    const refusal = isIP(target.hostname) === 0 ? undefined : guard.refusal(target.hostname, protocol)
    if (refusal !== undefined) return callback(refused(target.hostname, refusal), null)
    try {
      connect(target, (...[error, socket]) => {
        if (error !== null) return callback(error, null)
        const reached = guard.refusal(socket.remoteAddress ?? '', protocol)
        if (reached === undefined) {
          if (socket instanceof TLSSocket) onTlsConnection?.(describeTls(socket))
          return callback(null, socket)
        }
        socket.destroy()
        callback(refused(target.hostname, reached), null)
      })
    } catch (error) {
      // Certificates that do not go together are found here.
      callback(error instanceof Error ? error : new Error(String(error)), null)
    }
  }
}

function describeTls(socket: TLSSocket): TlsConnection {
  const { issuer, valid_to: validTo } = socket.getPeerCertificate()
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    issuer: Object.values(issuer).flat().join(', '),
    validTo: new Date(validTo).toISOString(),
  }
}

/** Answers with the addresses that are allowed, and fails where there is none. */
function guardedLookup(guard: AddressGuard, protocol: string, lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      const addresses = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }]
      const allowed = addresses.filter(({ address }) => guard.refusal(address, protocol) === undefined)
      const [first] = allowed
      if (first === undefined) {
        const refusal = guard.refusal(addresses[0]?.address ?? '', protocol)
        callback(refused(hostname, refusal ?? 'no address'), [])
      } else if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function refused(hostname: string, refusal: string): AttemptError {
  return new AttemptError(
    'ADDRESS_GUARDED',
    `nothing is sent to ${hostname}, which is ${refusal}; SYNC_ALLOW_NETWORKS can list its network as allowed`,
  )
}
