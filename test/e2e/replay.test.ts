import { describe, expect, test, vi } from 'vitest'
import type { Receipt } from '../../src/client.js'
import { replayWorkflowIdOf } from '../../src/domain/replay.js'
import { generateKey, KeyRing } from '../../src/encryption/key-ring.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { createEnvironment } from '../support/environment.js'
import { emitIn, GROUPINGS } from '../support/grouping.js'
import { idsOf, waitForReplay } from '../support/replays.js'
import { waitUntilWaiting } from '../support/waiting.js'

vi.setConfig({ testTimeout: 120_000 })

const HOUR_MS = 60 * 60_000

/** Long before anything that a test emits. */
function hourAgo(): string {
  return new Date(Date.now() - HOUR_MS).toISOString()
}

/** Emits events one after the other, each with a workflow of its own, and returns their ids. */
async function emitEach(environment: SyncTestEnvironment, type: string, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let number = 1; number <= count; number += 1) {
    const receipt = await environment.syncService.emit(type, { number })
    await untilOver(environment, receipt)
    ids.push(receipt.eventId)
  }
  return ids
}

/** Emits events in one group, and returns their ids. */
async function emitGroup(environment: SyncTestEnvironment, type: string, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, (_, number) => ({ type, data: { number } }))
  const receipts = await environment.syncService.emitMany(events)
  for (const receipt of receipts) await untilOver(environment, receipt)
  return receipts.map(({ eventId }) => eventId)
}

/** An endpoint that is registered now gets what has no delivery yet, without any replay. */
async function untilOver({ temporal }: SyncTestEnvironment, { workflowId }: Receipt): Promise<void> {
  await temporal.client.workflow.getHandle(workflowId).result()
}

describe.concurrent('a replay', () => {
  test('sends what was emitted to an endpoint that is new, once, with the ids of the events', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const failing = await environment.startReceiver(503)
    await syncService.registerEndpoint('Failing', { url: failing.url, events: ['policy.revised'] })
    const alone = await emitEach(environment, 'policy.approved', 3)
    // These go on in workflows of their own, which are about the same events.
    const grouped = await emitGroup(environment, 'policy.revised', 3)
    for (const id of grouped) {
      const waiting = { deliveries: [{ endpoint: 'Failing', state: 'attempting' }] }
      await vi.waitFor(async () =>
        expect(await syncService.deliveries('policy.revised', id)).toMatchObject(waiting),
      )
    }
    await emitEach(environment, 'other.thing', 2)
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('New', { url: receiver.url, events: ['policy.*'] })

    const started = await syncService.startReplay({ endpoint: 'New', since: hourAgo() })
    expect(started).toMatchObject({ endpoint: 'New', status: 'running', sent: 0, perSecond: 100 })
    const ended = await waitForReplay(syncService, started, { status: 'completed' })

    expect(ended).toMatchObject({ total: 8, sent: 6, skipped: 2, waiting: 0, discarded: 0, missing: 0 })
    expect(Date.parse(ended.endedAt ?? '')).toBeGreaterThan(Date.parse(ended.startedAt))
    expect(idsOf(receiver.requests).toSorted()).toEqual([...alone, ...grouped].toSorted())
    const [first] = receiver.requests.filter(({ headers }) => headers['webhook-id'] === alone[0])
    expect(first?.body).toEqual({ event: 'policy.approved', data: { number: 1 } })
    expect(await syncService.listReplays()).toEqual([ended])
  })

  test('chooses by type, and by when events were accepted', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    await emitEach(environment, 'policy.approved', 1)
    const since = new Date().toISOString()
    const [approved] = await emitEach(environment, 'policy.approved', 1)
    const [revised] = await emitEach(environment, 'policy.revised', 1)
    await emitEach(environment, 'policyholder.moved', 1)
    const until = new Date().toISOString()
    await emitEach(environment, 'policy.approved', 1)
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS', { url: receiver.url })
    const range = { endpoint: 'EMS', since, until }

    const all = await syncService.startReplay({ ...range, type: 'policy.*' })
    await waitForReplay(syncService, all, { status: 'completed', total: 3, sent: 2, skipped: 1 })
    expect(new Set(idsOf(receiver.requests))).toEqual(new Set([approved, revised]))

    const one = await syncService.startReplay({ ...range, since: new Date(since), type: 'policy.revised' })
    await waitForReplay(syncService, one, { status: 'completed', sent: 1, skipped: 2 })
    expect(idsOf(receiver.requests.slice(2))).toEqual([revised])
  })

  test.for(GROUPINGS)(
    'chooses by where the deliveries of events stand, with grouping %s',
    async (grouping) => {
      await using environment = await createEnvironment({ grouping })
      const { syncService } = environment
      const emit = async (): Promise<string> =>
        (await emitIn(grouping, syncService, 'policy.approved', {})).eventId
      const [absent = ''] = await emitEach(environment, 'policy.approved', 1)
      const receiver = await environment.startReceiver(200, 422)
      await syncService.registerEndpoint('EMS', { url: receiver.url, events: ['policy.*'] })
      const delivered = await emit()
      await receiver.waitForRequests(1)
      const discarded = await emit()
      await waitUntilWaiting(environment, identity(discarded), 'rejected')
      await syncService.discardDelivery('policy.approved', discarded, 'EMS', 'sent by fax')
      const open = await emit()
      await waitUntilWaiting(environment, identity(open), 'rejected')
      receiver.respondWith(200)

      for (const [state, expected] of [
        ['delivered', [delivered]],
        ['discarded', [discarded]],
        ['absent', [absent]],
        ['undelivered', [absent, discarded]],
      ] as const) {
        const before = receiver.requests.length
        const replay = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo(), state })
        await waitForReplay(syncService, replay, { status: 'completed', sent: expected.length })
        expect(new Set(idsOf(receiver.requests.slice(before)))).toEqual(new Set(expected))
      }
    },
  )

  test('says how far back it reaches where Temporal has forgotten what is older', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    await syncService.registerEndpoint('EMS', { url: 'https://ems.city.example/' })
    const since = '2020-01-01T00:00:00.000Z'

    const far = await syncService.startReplay({ endpoint: 'EMS', since })
    const near = await syncService.startReplay({ endpoint: 'EMS', since: new Date(Date.now() - 1_000) })

    expect(far.since).toBe(since)
    // The shared server keeps what has ended for 30 days, or for one.
    expect(Date.now() - Date.parse(far.reachesBackTo)).toBeGreaterThan(23 * HOUR_MS)
    expect(Date.parse(far.reachesBackTo)).toBeGreaterThan(Date.parse(since))
    expect(near.reachesBackTo).toBe(near.since)
    await waitForReplay(syncService, far, { status: 'completed', total: 0, sent: 0 })
  })

  test('is refused where it could not be what was meant', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    await syncService.registerEndpoint('EMS', { url: 'https://ems.city.example/' })
    const since = hourAgo()
    const refused = (options: object, problem: object): Promise<void> =>
      expect(syncService.startReplay({ endpoint: 'EMS', since, ...options })).rejects.toMatchObject(problem)

    await refused({ endpoint: 'Nobody' }, { code: 'ENDPOINT_NOT_FOUND' })
    await refused({ until: new Date(Date.parse(since) - 1) }, invalid('since'))
    await refused({ since: new Date(Date.now() + HOUR_MS) }, invalid('since'))
    await refused({ since: 'yesterday' }, invalid('since'))
    await refused({ type: 'policy*' }, invalid('type'))
    await refused({ state: 'lost' }, invalid('state'))
    await refused({ perSecond: 0 }, invalid('perSecond'))
    await refused({ rate: 5 }, invalid('rate'))

    for (const id of ['0198c5a2-7b1e-7000-8000-000000000001', 'policy.approved/1']) {
      const unknown = { code: 'REPLAY_NOT_FOUND', message: expect.stringContaining(id) }
      await expect(syncService.getReplay(id)).rejects.toMatchObject(unknown)
      await expect(syncService.pauseReplay(id)).rejects.toMatchObject(unknown)
      await expect(syncService.resumeReplay(id)).rejects.toMatchObject(unknown)
      await expect(syncService.cancelReplay(id)).rejects.toMatchObject(unknown)
    }
  })

  test('is paused, goes on where it was, and keeps its rate', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const ids = await emitGroup(environment, 'policy.approved', 100)
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS', { url: receiver.url })

    const replay = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo(), perSecond: 10 })
    await receiver.waitForRequests(20)
    await syncService.pauseReplay(replay.id)
    await waitForReplay(syncService, replay, { status: 'paused' })
    await untilNothingIsSent(environment, replay.id)
    expect(receiver.requests.length).toBeLessThan(ids.length)
    await waitForReplay(syncService, replay, { status: 'paused', sent: receiver.requests.length })

    await syncService.resumeReplay(replay.id)
    await waitForReplay(syncService, replay, { status: 'completed', total: 100, sent: 100 })
    expect(idsOf(receiver.requests).toSorted()).toEqual(ids.toSorted())
    const [first, twentieth] = [receiver.requests[0]!, receiver.requests[19]!]
    expect(twentieth.receivedAt.getTime() - first.receivedAt.getTime()).toBeGreaterThan(1_700)
    // What is over stays as it is.
    await syncService.pauseReplay(replay.id)
    expect(await syncService.getReplay(replay.id)).toMatchObject({ status: 'completed' })
  })

  test('that is cancelled sends no more and gives up what waits, and leaves the events alone', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver(422)
    await emitGroup(environment, 'policy.approved', 60)
    await syncService.registerEndpoint('EMS', { url: receiver.url })
    const own = await syncService.emit('policy.approved', {})
    await waitUntilWaiting(environment, own, 'rejected')

    const replay = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo(), perSecond: 2 })
    await receiver.waitForRequests(5)
    await syncService.cancelReplay(replay.id)

    const ended = await waitForReplay(syncService, replay, { status: 'cancelled', waiting: 0 })
    expect(ended.discarded).toBe(ended.wentOn)
    expect(ended.wentOn).toBeGreaterThan(0)
    expect(ended.sent).toBeLessThan(40)
    expect(await syncService.deliveries('policy.approved', own.eventId)).toMatchObject({
      deliveries: [{ state: 'waiting' }],
    })
  })

  test('goes on when its endpoint, which has failed in between, is back', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const ids = await emitGroup(environment, 'policy.approved', 180)
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS', { url: receiver.url })

    const replay = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo(), perSecond: 20 })
    await receiver.waitForRequests(20)
    receiver.respondWith(503)
    const heldUp = await waitForReplay(syncService, replay, { heldUp: 'down' })
    expect(heldUp.sent).toBeLessThan(180)
    receiver.respondWith(200)

    const ended = await waitForReplay(syncService, replay, { status: 'completed' }, 100_000)
    expect(ended).toMatchObject({ total: 180, sent: 180, waiting: 0, discarded: 0 })
    expect(ended.wentOn).toBeGreaterThan(0)
    expect(new Set(idsOf(receiver.requests))).toEqual(new Set(ids))
  })

  test('is not held up by events that the endpoint rejects, and is over when they are discarded or taken', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    await emitGroup(environment, 'policy.approved', 20)
    const receiver = await environment.startReceiver(422, 422, 200)
    await syncService.registerEndpoint('EMS', { url: receiver.url })

    const replay = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo() })
    await waitForReplay(syncService, replay, { status: 'running', sent: 20, waiting: 2, wentOn: 2 })
    const rejected = idsOf(receiver.requests.slice(0, 2)).toSorted()
    await vi.waitFor(
      async () => {
        const { events } = await syncService.listEvents({ waitingOn: 'EMS' })
        expect(events.map(({ id }) => id).toSorted()).toEqual(rejected)
        expect(events).toMatchObject([{ type: 'policy.approved', waiting: 1 }, { waitingOn: ['EMS'] }])
      },
      { timeout: 20_000 },
    )
    expect((await syncService.listEvents({ limit: 100 })).events).toHaveLength(20)
    // They are found by the ids of their events, as none has a delivery to it that is open.
    const [first = '', second = ''] = rejected
    expect(await syncService.discardDelivery('policy.approved', first, 'EMS', 'sent by fax')).toMatchObject({
      state: 'discarded',
    })
    expect(receiver.requests).toHaveLength(20)
    await syncService.updateEndpoint('EMS', { authToken: 'Bearer right' })

    await waitForReplay(syncService, replay, { status: 'completed', sent: 20, waiting: 0, discarded: 1 })
    expect(idsOf(receiver.requests.slice(20))).toEqual([second])
  })

  test('waits while its endpoint is paused, and fails when it is removed', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    await emitEach(environment, 'policy.approved', 2)
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS', { url: receiver.url })
    await syncService.pauseEndpoint('EMS')

    const replay = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo() })
    await waitForReplay(syncService, replay, { status: 'running', heldUp: 'paused', sent: 0 })
    await syncService.removeEndpoint('EMS')

    await waitForReplay(syncService, replay, { status: 'failed', sent: 0 })
    expect(receiver.requests).toHaveLength(0)
  })

  test('of an endpoint with a rate limit leaves the pace to Temporal', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const ids = await emitGroup(environment, 'policy.approved', 20)
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS', { url: receiver.url, maxAttemptsPerSecond: 5 })

    const replay = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo() })

    await waitForReplay(syncService, replay, { status: 'completed', sent: 20, wentOn: 20, discarded: 0 })
    expect(idsOf(receiver.requests).toSorted()).toEqual(ids.toSorted())
    // What a replay has sent is no event of its own.
    const next = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo(), state: 'delivered' })
    await waitForReplay(syncService, next, { status: 'completed', total: 20, skipped: 20 })
  })

  test('reads events that are encrypted', async () => {
    const encryptionKeys = new KeyRing([generateKey()])
    await using environment = await createEnvironment({ encryptionKeys, encryptPayloads: true })
    const { syncService } = environment
    await emitEach(environment, 'policy.approved', 2)
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('EMS', { url: receiver.url })

    const replay = await syncService.startReplay({ endpoint: 'EMS', since: hourAgo() })

    await waitForReplay(syncService, replay, { status: 'completed', sent: 2 })
    const numbers = receiver.requests.map(({ body }) => (body as { data: { number: number } }).data.number)
    expect(numbers.toSorted((one, other) => one - other)).toEqual([1, 2])
  })
})

function invalid(field: string): object {
  return { code: 'INVALID_INPUT', problems: [{ field }] }
}

function identity(eventId: string): { workflowId: string; eventType: string; eventId: string } {
  return { workflowId: '', eventType: 'policy.approved', eventId }
}

/** Waits for the end of what a replay was sending when it was paused. */
function untilNothingIsSent({ temporal }: SyncTestEnvironment, id: string): Promise<void> {
  const handle = temporal.client.workflow.getHandle(replayWorkflowIdOf(id))
  return vi.waitFor(
    async () => expect((await handle.describe()).raw.pendingActivities ?? []).toHaveLength(0),
    { timeout: 20_000, interval: 200 },
  )
}
