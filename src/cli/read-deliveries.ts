import type { Delivery, SyncEvent, SyncService } from '../client.js'

type EventIdentity = Pick<SyncEvent, 'type' | 'id'>

/** All deliveries of an event. */
export async function readDeliveries(service: SyncService, event: EventIdentity): Promise<Delivery[]> {
  const deliveries: Delivery[] = []
  for await (const page of deliveryPages(service, event)) deliveries.push(...page)
  return deliveries
}

/** The delivery of an event to one endpoint. */
export async function findDelivery(
  service: SyncService,
  event: EventIdentity,
  endpoint: string,
): Promise<Delivery | undefined> {
  for await (const page of deliveryPages(service, event)) {
    const found = page.find((delivery) => delivery.endpoint === endpoint)
    if (found !== undefined) return found
  }
  return undefined
}

/** All deliveries of an event, page by page. */
async function* deliveryPages(service: SyncService, { type, id }: EventIdentity): AsyncGenerator<Delivery[]> {
  let cursor: string | undefined
  do {
    const page = await service.deliveries(type, id, cursor === undefined ? {} : { cursor })
    yield page.deliveries
    cursor = page.nextCursor
  } while (cursor !== undefined)
}
