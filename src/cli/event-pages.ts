import type { EventPage, ListEventsOptions, SyncService } from '../client.js'

/** What a page of `listEvents` holds at most. */
const MAX_PAGE = 200

/** Lists events page by page, `limit` of them at most; the last page has a cursor where there are more. */
export async function* eventPages(
  service: SyncService,
  options: Omit<ListEventsOptions, 'limit' | 'cursor'>,
  limit: number,
): AsyncGenerator<EventPage> {
  let left = limit
  let cursor: string | undefined
  do {
    const page = await service.listEvents({
      ...options,
      limit: Math.min(left, MAX_PAGE),
      ...(cursor !== undefined && { cursor }),
    })
    yield page
    left -= page.events.length
    cursor = page.nextCursor
  } while (cursor !== undefined && left > 0)
}
