import { v7 as uuidv7 } from 'uuid'
import { classify } from '../delivery/classify.js'
import { createSender } from '../delivery/send.js'
import type { WaitingReason } from '../domain/delivery.js'
import { SyncError } from '../domain/errors.js'
import type { SyncEvent } from '../domain/event.js'
import { isUsable, type EndpointStore } from '../store/endpoint-store.js'
import { endpointNotFound } from './endpoint-registry.js'

/** The type of the event that `testEndpoint` sends; types that begin so are the project's own. */
const PING = 'external-sync.ping'

/** What came of one request to an endpoint. */
export interface EndpointTestReport {
  /** What a delivery would do: be `delivered`, `retry`, or wait for a reason. */
  outcome: 'delivered' | 'retry' | WaitingReason
  /** HTTP status, where an answer came. */
  status?: number
  /** What went wrong. */
  error?: string
  /** From the request to the answer's first byte. */
  firstByteMs?: number
  durationMs: number
  /** Protocol and certificate of the connection, where it is TLS. */
  tls?: { protocol: string; issuer: string; validTo: string }
  /** The beginning of the answer, without secrets of the endpoint. */
  excerpt?: string
}

/**
 * Sends a ping to an endpoint once, paused or not, and starts no workflow.
 * @throws {SyncError} `ENDPOINT_NOT_FOUND`, or `ENDPOINT_UNUSABLE` where its stored settings are not accepted
 */
export async function testEndpoint(
  { store, allowNetworks }: { store: EndpointStore; allowNetworks: readonly string[] },
  name: string,
): Promise<EndpointTestReport> {
  const endpoint = await store.get(name)
  if (endpoint === undefined) return endpointNotFound(name)
  if (!isUsable(endpoint)) throw new SyncError('ENDPOINT_UNUSABLE', `endpoint ${name}: ${endpoint.problem}`)
  let tls: EndpointTestReport['tls']
  const sender = createSender({
    allowNetworks,
    excerptsOfSuccess: true,
    onTlsConnection: (connection) => {
      tls = connection
    },
  })
  const startedAt = performance.now()
  try {
    const result = await sender.send(endpoint, ping(), new AbortController().signal)
    const verdict = classify(result)
    return {
      outcome: verdict.kind === 'wait' ? verdict.reason : verdict.kind,
      durationMs: Math.round(performance.now() - startedAt),
      ...(tls !== undefined && { tls }),
      ...(result.kind === 'failure'
        ? { error: `${result.code}: ${result.message}` }
        : {
            status: result.status,
            ...(result.timing !== undefined && { firstByteMs: result.timing.firstByteMs }),
            ...(result.excerpt !== undefined && { excerpt: result.excerpt }),
          }),
    }
  } finally {
    await sender.close()
  }
}

function ping(): SyncEvent {
  return {
    type: PING,
    id: uuidv7(),
    time: new Date().toISOString(),
    data: { message: 'a test, to be ignored' },
  }
}
