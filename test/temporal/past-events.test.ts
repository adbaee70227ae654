import { expect, test, vi } from 'vitest'
import type { SyncService } from '../../src/client.js'
import { pastEventsQuery } from '../../src/domain/search-attributes.js'
import {
  countPastEvents,
  pastEvents,
  type Found,
  type PastEventsSearch,
} from '../../src/temporal/past-events.js'
import { openEnvironment } from '../support/environment.js'

/** Emits one event after the other, then a group of three. */
async function emitSome(syncService: SyncService, alone: number): Promise<string[]> {
  const ids: string[] = []
  for (let number = 0; number < alone; number += 1) {
    ids.push((await syncService.emit('policy.approved', { number })).eventId)
  }
  const group = await syncService.emitMany(
    [1, 2, 3].map((number) => ({ type: 'policy.revised', data: { number } })),
  )
  return [...ids, ...group.map(({ eventId }) => eventId)]
}

async function openPast(alone: number) {
  const environment = await openEnvironment({ grouping: 'auto' })
  const { client } = environment.temporal
  const since = new Date(Date.now() - 1_000).toISOString()
  const ids = await emitSome(environment.syncService, alone)
  const until = new Date(Date.now() + 1_000).toISOString()
  const search: PastEventsSearch = {
    client,
    taskQueue: environment.taskQueue,
    since,
    until,
    wantsType: () => true,
    windowSize: 4,
  }
  await vi.waitFor(async () => {
    const { count } = await client.workflow.count(pastEventsQuery(environment.taskQueue, search))
    // All but the first may have gone in groups.
    const events = await countPastEvents(client, environment.taskQueue, search)
    expect({ count, events }).toEqual({ count: expect.any(Number), events: ids.length })
  })
  return { ids, search, environment }
}

test('past events are found in the order in which they were accepted, in windows of the past', async () => {
  const { ids, search } = await openPast(21)

  const found = await all(pastEvents(search))

  expect(found.map(idOf)).toEqual(ids)
})

test('a search goes on after every event that was found, within a group too', async () => {
  const { ids, search } = await openPast(6)
  const found = await all(pastEvents(search))

  for (const [index, { cursor }] of found.entries()) {
    const rest = await all(pastEvents({ ...search, after: cursor }))
    expect(rest.map(idOf)).toEqual(ids.slice(index + 1))
  }
})

test('events of a type that is not wanted are found as such', async () => {
  const { search } = await openPast(2)

  const found = await all(pastEvents({ ...search, wantsType: (type) => type === 'policy.revised' }))

  expect(found.map(({ kind }) => kind)).toEqual(['unwanted', 'unwanted', 'event', 'event', 'event'])
})

async function all(source: AsyncGenerator<Found>): Promise<Found[]> {
  const found: Found[] = []
  for await (const one of source) found.push(one)
  return found
}

function idOf(found: Found): string | undefined {
  return found.kind === 'event' ? found.event.id : undefined
}
