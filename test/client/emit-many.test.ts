import { Client, Connection } from '@temporalio/client'
import { describe, expect, test, vi } from 'vitest'
import { SyncService, type EventToEmit } from '../../src/client.js'
import { openEnvironment } from '../support/environment.js'
import { freePort } from '../support/free-port.js'
import { GROUPINGS } from '../support/grouping.js'

describe.each(GROUPINGS)('emitMany with grouping %s', (grouping) => {
  test('resolves with the receipts in the order of the events, the same event twice among them', async () => {
    const { syncService } = await openEnvironment({ grouping })
    const ids = ['c', 'a', 'b', 'a'].map((name) => name.repeat(8))
    const heard: unknown[] = []
    syncService.on('policy.approved', (_, { id }) => heard.push(id))

    const receipts = await syncService.emitMany(
      ids.map((id) => ({ type: 'policy.approved', data: { grouping }, id: `${id}-${grouping}` })),
    )

    expect(receipts.map(({ eventId }) => eventId)).toEqual(ids.map((id) => `${id}-${grouping}`))
    expect(receipts.filter(({ duplicate }) => duplicate)).toHaveLength(1)
    expect(heard).toHaveLength(3)
  })

  test('emits nothing when one event is refused, and names it', async () => {
    const environment = await openEnvironment({ grouping })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
    const heard = vi.fn()
    syncService.on('policy.approved', heard)
    const good = { type: 'policy.approved', data: {} }
    const refused: [event: unknown, message: string][] = [
      [{ ...good, data: undefined }, 'emitMany: events[3].data '],
      [{ ...good, data: { list: [1, Number.NaN] } }, 'emitMany: events[3].data.list[1] NaN is not accepted'],
      [{ ...good, data: 'x'.repeat(300_000) }, 'emitMany: events[3].data of 300002 bytes is not accepted'],
      [{ ...good, type: 'not a type' }, 'emitMany: events[3].type "not a type" is not accepted'],
      [{ ...good, id: 'not an id' }, 'emitMany: events[3].id "not an id" is not accepted'],
      [{ ...good, kye: 'policy/42' }, 'emitMany: events[3].kye is not accepted: expected no option of this'],
      [undefined, 'emitMany: events[3] undefined is not accepted: expected an object'],
      ['policy.approved', 'emitMany: events[3] "policy.approved" is not accepted: expected an object'],
    ]

    for (const [event, message] of refused) {
      await expect(
        syncService.emitMany([good, good, good, event as EventToEmit, good]),
      ).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining(message),
      })
    }
    await expect(syncService.emitMany({} as EventToEmit[])).rejects.toMatchObject({
      message: 'emitMany: events {} is not accepted: expected an array of events',
    })
    const last = await syncService.emit('policy.approved', {})
    await environment.waitForDeliveries(last)
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([last.eventId])
    expect(heard).toHaveBeenCalledTimes(1)
  })

  test('of no events resolves with no receipts', async () => {
    const { syncService } = await openEnvironment({ grouping })

    expect(await syncService.emitMany([])).toEqual([])
  })

  test('has copied the events when it returns', async () => {
    const environment = await openEnvironment({ grouping })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
    const events = [1, 2].map((version) => ({ type: 'policy.approved', data: { version } }))

    const emitted = syncService.emitMany(events)
    for (const { data } of events) data.version = 9
    events.length = 0

    expect(await emitted).toHaveLength(2)
    const requests = await receiver.waitForRequests(2)
    expect(requests.map(({ body }) => body)).toEqual(
      expect.arrayContaining([1, 2].map((version) => ({ event: 'policy.approved', data: { version } }))),
    )
  })

  test('that nobody awaits reports its failure to the error listeners, once', async () => {
    const environment = await openEnvironment({ grouping })
    const connection = Connection.lazy({ address: `127.0.0.1:${await freePort()}` })
    const client = new Client({ connection })
    const { store } = environment
    await using syncService = new SyncService({ client, store, taskQueue: 'none', grouping })
    const failures: unknown[] = []
    syncService.on('error', (error) => failures.push(error))

    void syncService.emitMany([{ type: 'not a type', data: {} }])
    void syncService.emitMany([1, 2, 3].map((version) => ({ type: 'policy.approved', data: { version } })))

    await vi.waitFor(() => expect(failures).toHaveLength(2), 50_000)
    expect(failures).toMatchObject([{ code: 'INVALID_INPUT' }, { code: 'EVENT_NOT_ACCEPTED' }])
  })

  test('rejects with the conflict of one event, and the others are accepted', async () => {
    const environment = await openEnvironment({ grouping })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
    const { eventId: id } = await syncService.emit('policy.approved', { version: 1 })

    await expect(
      syncService.emitMany([
        { type: 'policy.approved', data: { version: 2 } },
        { type: 'policy.approved', data: { version: 2 }, id },
        { type: 'policy.approved', data: { version: 3 } },
      ]),
    ).rejects.toMatchObject({ code: 'EVENT_CONFLICT', eventId: id })

    const requests = await receiver.waitForRequests(3)
    expect(
      requests
        .map(({ body }) => (body as { data: { version: number } }).data.version)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 2, 3])
  })
})
