import type { Client } from '@temporalio/client'
import type { ReadDelivery } from '../activities/replay-sender.js'
import { SyncError } from '../domain/errors.js'
import { MAX_PAGE_SIZE } from '../workflows/messages.js'
import { readDeliveries } from './event-deliveries.js'

/** Reads where an event's delivery to one endpoint stands, as operators see it. */
export function createReadDelivery(system: { client: Client; taskQueue: string }): ReadDelivery {
  return async (event, endpoint, groupId) => {
    const lookup = { ...system, starts: { groupOf: () => Promise.resolve(groupId) } }
    let cursor: string | undefined
    do {
      const page = await readDeliveries(lookup, event, {
        limit: MAX_PAGE_SIZE,
        ...(cursor && { cursor }),
      }).catch(unlessForgotten)
      const found = page.deliveries.find((delivery) => delivery.endpoint === endpoint)
      if (found !== undefined) return found
      cursor = page.nextCursor
    } while (cursor !== undefined)
    return undefined
  }
}

/** Nothing is known of an event whose group was ended before its first attempts were over. */
function unlessForgotten(error: unknown): { deliveries: []; nextCursor?: undefined } {
  if (error instanceof SyncError && error.code === 'EVENT_NOT_FOUND') return { deliveries: [] }
  throw error
}
