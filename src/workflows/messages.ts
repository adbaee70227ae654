import { defineQuery } from '@temporalio/workflow'
import type { Delivery } from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'

/** The name under which the workflow is started; a client needs no workflow code. */
export const SYNC_EVENT_WORKFLOW = 'syncEvent'

/** What `syncEvent` starts with; the deliveries are there when it continues as new. */
export interface SyncEventInput {
  event: SyncEvent
  deliveries?: Delivery[]
}

/** What a finished `syncEvent` leaves on record. */
export interface SyncEventResult {
  deliveries: Delivery[]
}

/** A part of an event's deliveries, in the order in which the endpoints were resolved. */
export interface DeliveryPage {
  deliveries: Delivery[]
  /** Where the next page begins; absent on the last. */
  nextCursor?: string
}

/** How many deliveries a page holds at most. */
export const MAX_PAGE_SIZE = 1_000

/** Where the deliveries stand. A query's answer is a payload too, so it is paged. */
export const deliveriesQuery = defineQuery<DeliveryPage, [{ cursor?: string; limit?: number }]>('deliveries')

/** Cuts a page; the client uses it for a closed workflow's result. */
export function pageOf(
  deliveries: readonly Delivery[],
  cursor: string | undefined,
  limit: number,
): DeliveryPage {
  const start = cursor === undefined ? 0 : Number(cursor)
  const end = start + Math.min(limit, MAX_PAGE_SIZE)
  return {
    deliveries: deliveries.slice(start, end),
    ...(end < deliveries.length && { nextCursor: String(end) }),
  }
}
