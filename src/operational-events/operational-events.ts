import { createHash } from 'node:crypto'
import type { SyncEvent } from '../domain/event.js'
import type { Outage } from '../store/outages.js'

/** A delivery whose receiver does not take this event. */
export interface Rejection {
  endpoint: string
  event: Pick<SyncEvent, 'type' | 'id' | 'key'>
  /** RFC 3339. */
  at: string
  status?: number
  error?: string
}

/** Deliveries to the endpoint fail, and will be retried. */
export function endpointFailing(outage: Outage): SyncEvent {
  const { since, ...others } = outage
  return {
    type: 'external-sync.endpoint.failing',
    id: outageIdOf(outage),
    time: since,
    key: `endpoint/${outage.endpoint}`,
    data: { ...others, since },
  }
}

/** The endpoint takes deliveries again. */
export function endpointRecovered(outage: Outage, recoveredAt: string): SyncEvent {
  const { endpoint, reason, since } = outage
  return {
    type: 'external-sync.endpoint.recovered',
    id: outageIdOf(outage),
    time: recoveredAt,
    key: `endpoint/${endpoint}`,
    data: { endpoint, reason, since, recoveredAt },
  }
}

/** The receiver has rejected an event: a person has to look. Told once for each delivery, however often it is tried. */
export function deliveryRejected({ endpoint, event, at, status, error }: Rejection): SyncEvent {
  const { type, id, key } = event
  const identity = createHash('sha256')
    .update(JSON.stringify([type, id, endpoint]))
    .digest('hex')
  return {
    type: 'external-sync.delivery.rejected',
    id: identity.slice(0, 32),
    time: at,
    key: `endpoint/${endpoint}`,
    data: {
      endpoint,
      event: { type, id, ...(key !== undefined && { key }) },
      ...(status !== undefined && { status }),
      ...(error !== undefined && { error }),
    },
  }
}

function outageIdOf({ endpoint, since }: Outage): string {
  return `${endpoint}@${since}`
}
