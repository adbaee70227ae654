import { describe, expect, test, vi } from 'vitest'
import {
  InvalidInputError,
  type ListedEvent,
  type ListEventsOptions,
  type SyncService,
} from '../../src/client.js'
import { createEnvironment } from '../support/environment.js'

const RETRY = { initialIntervalMs: 200, maximumIntervalMs: 1_000 }

vi.setConfig({ testTimeout: 180_000 })

describe.concurrent('events are listed', () => {
  test('by type, status, time and the endpoint for which they wait, in pages', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    const healthy = await environment.startReceiver()
    const refusing = await environment.startReceiver(422)
    await syncService.registerEndpoint('Healthy', { url: healthy.url })
    await syncService.registerEndpoint('Refusing', { url: refusing.url, events: ['policy.*'], retry: RETRY })
    for (let number = 1; number <= 5; number += 1) {
      await syncService.emit('policy.approved', { number }, { id: `p-${number}` })
    }
    const before = await syncService.emit('schedule.updated', {}, { id: 's-1' })
    await environment.waitForDeliveries(before)
    const between = new Date()
    const after = await syncService.emit('schedule.updated', {}, { id: 's-2' })
    await environment.waitForDeliveries(after)

    await vi.waitFor(
      async () => {
        const waiting = await listAll(syncService, { waitingOn: 'Refusing' })
        expect(idsOf(waiting)).toEqual(['p-1', 'p-2', 'p-3', 'p-4', 'p-5'])
        for (const event of waiting) {
          expect(event).toMatchObject({ status: 'running', waiting: 1, waitingOn: ['Refusing'] })
          expect(event).not.toHaveProperty('endedAt')
        }
        expect(idsOf(await listAll(syncService, { status: 'completed' }))).toEqual(['s-1', 's-2'])
      },
      { timeout: 60_000 },
    )
    expect(idsOf(await listAll(syncService, { type: 'schedule.updated' }))).toEqual(['s-1', 's-2'])
    expect(idsOf(await listAll(syncService, { since: between }))).toEqual(['s-2'])
    expect(idsOf(await listAll(syncService, { type: 'schedule.updated', until: between }))).toEqual(['s-1'])
    expect(await listAll(syncService, { waitingOn: 'Healthy' })).toEqual([])

    await environment.temporal.client.workflow.getHandle('policy.approved/p-1').terminate('an operator')
    await vi.waitFor(
      async () => expect(idsOf(await listAll(syncService, { status: 'terminated' }))).toEqual(['p-1']),
      { timeout: 60_000 },
    )
    const { events, nextCursor } = await syncService.listEvents({ limit: 3 })
    expect(events).toHaveLength(3)
    const rest = await syncService.listEvents({ limit: 200, cursor: nextCursor! })
    expect(idsOf([...events, ...rest.events])).toEqual(['p-1', 'p-2', 'p-3', 'p-4', 'p-5', 's-1', 's-2'])
    expect(rest).not.toHaveProperty('nextCursor')
  })

  test('that went in groups as well, a page at a time', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const healthy = await environment.startReceiver()
    const refusing = await environment.startReceiver(422)
    await syncService.registerEndpoint('Healthy', { url: healthy.url })
    await syncService.registerEndpoint('Refusing', { url: refusing.url, events: ['policy.*'], retry: RETRY })
    const receipts = await syncService.emitMany(
      Array.from({ length: 12 }, (_, number) => ({
        type: number % 3 === 0 ? 'policy.approved' : 'schedule.updated',
        data: {},
        id: `e-${String(number).padStart(2, '0')}`,
      })),
    )
    const all = receipts.map(({ eventId }) => eventId)

    await vi.waitFor(
      async () => {
        expect(idsOf(await listAll(syncService, { waitingOn: 'Refusing' }))).toEqual(
          all.filter((_, number) => number % 3 === 0),
        )
        expect(idsOf(await listAll(syncService, {}))).toEqual(all)
        // While the group runs, it speaks for all its events.
        expect(await listAll(syncService, { status: 'completed' })).toHaveLength(8)
      },
      { timeout: 60_000 },
    )
    expect(idsOf(await listAll(syncService, { limit: 5 }))).toEqual(all)
    const updated = await listAll(syncService, { type: 'schedule.updated' })
    expect(idsOf(updated)).toEqual(all.filter((_, number) => number % 3 !== 0))
    expect(updated.every(({ status, waiting }) => status === 'completed' && waiting === 0)).toBe(true)
  })

  test('only as it can be asked', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    const refused: [unknown, string][] = [
      [{ type: 'a"b' }, 'type'],
      [{ waitingOn: 'no such name "' }, 'waitingOn'],
      [{ status: 'open' }, 'status'],
      [{ since: 'yesterday' }, 'since'],
      [{ limit: 0 }, 'limit'],
      [{ limit: 201 }, 'limit'],
      [{ cursor: 'bm90IG9uZQ' }, 'cursor'],
      [{ state: 'waiting' }, 'state'],
    ]
    for (const [options, field] of refused) {
      const error = await syncService
        .listEvents(options as ListEventsOptions)
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(InvalidInputError)
      expect((error as InvalidInputError).problems).toMatchObject([{ field }])
    }
  })
})

/** Page by page, in the order of their ids. */
async function listAll(service: SyncService, options: ListEventsOptions): Promise<ListedEvent[]> {
  const listed: ListedEvent[] = []
  let cursor: string | undefined
  do {
    const page = await service.listEvents({ ...options, ...(cursor !== undefined && { cursor }) })
    expect(page.events.length).toBeLessThanOrEqual(options.limit ?? 50)
    listed.push(...page.events)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return listed
}

function idsOf(events: readonly ListedEvent[]): string[] {
  return events.map(({ id }) => id).toSorted()
}
