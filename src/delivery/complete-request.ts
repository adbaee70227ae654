import type { Endpoint } from '../domain/endpoint.js'
import type { SyncEvent } from '../domain/event.js'
import { packageVersion } from '../package-version.js'
import { authHeaders } from './auth/authorization.js'
import type { HttpRequest } from './exchange.js'
import { signatureOf } from './signing.js'

/**
 * Adds to a converted event who sends it and for what endpoint: identity, credentials, the endpoint's own
 * headers, its place in a trace, and the signature over the body as it is sent (Standard Webhooks 1.0). Names are in lower case, so
 * that a later one replaces an earlier one.
 */
export function completeRequest(
  { headers, ...request }: HttpRequest,
  endpoint: Endpoint,
  event: SyncEvent,
  now: Date,
  accessToken?: string,
): HttpRequest {
  const { id, traceparent, tracestate } = event
  const timestamp = String(Math.floor(now.getTime() / 1_000))
  const { body = '' } = request
  const { signingSecrets } = endpoint
  return {
    ...request,
    headers: {
      'user-agent': `external-sync/${packageVersion}`,
      ...headers,
      ...authHeaders(endpoint, accessToken),
      ...inLowerCase(endpoint.headers),
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...(traceparent !== undefined && { traceparent }),
      ...(tracestate !== undefined && { tracestate }),
      ...(signingSecrets !== undefined && {
        'webhook-signature': signatureOf(signingSecrets, { id, timestamp, body }),
      }),
    },
  }
}

function inLowerCase(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
