import type { Endpoint } from '../domain/endpoint.js'
import type { SyncEvent } from '../domain/event.js'
import { packageVersion } from '../package-version.js'

/** One HTTP request of a delivery. */
export interface DeliveryRequest {
  url: string
  method: 'POST'
  headers: Record<string, string>
  body: string
}

/** The default wire format: the envelope `{"event", "data"}`, with the identity headers of Standard Webhooks. */
export function toRequest(endpoint: Endpoint, event: SyncEvent, now: Date): DeliveryRequest {
  return {
    url: endpoint.url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': `external-sync/${packageVersion}`,
      'webhook-id': event.id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      ...(endpoint.authToken !== undefined && { authorization: endpoint.authToken }),
    },
    body: JSON.stringify({ event: event.type, data: event.data }),
  }
}
