import { describe, expect, test, vi } from 'vitest'
import { SyncService, type EventToEmit, type Receipt } from '../../src/client.js'
import type { Receiver, SyncTestEnvironment } from '../../src/testing/index.js'
import { createEnvironment } from '../support/environment.js'
import { GROUP_ID } from '../support/grouping.js'
import { textIn } from '../support/text-in.js'

const RETRY = { initialIntervalMs: 200, maximumIntervalMs: 1_000 }

vi.setConfig({ testTimeout: 180_000 })

describe.concurrent('events that are emitted at once', () => {
  test('are all delivered, each once to an endpoint that is up, however others fail', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const healthy = await environment.startReceiver()
    const flaky = await environment.startReceiver(503, 503, 503, 200)
    const down = await environment.startReceiver()
    await down.stop()
    await syncService.registerEndpoint('Healthy', { url: healthy.url })
    await syncService.registerEndpoint('Flaky', { url: flaky.url, events: ['policy.*'], retry: RETRY })
    await syncService.registerEndpoint('Down', { url: down.url, events: ['policy.*'], retry: RETRY })

    const updates = eventsOf('schedule.updated', 20)
    const [together, ...others] = await Promise.all([
      syncService.emitMany([...eventsOf('policy.approved', 20), ...updates]),
      ...eventsOf('policy.revised', 10).map(({ type, data }) => syncService.emit(type, data)),
    ])
    const approved = together.slice(0, 20)
    const updated = together.slice(20)
    const all = [...together, ...others]
    expect(all.map(({ workflowId }) => workflowId)).toEqual(all.map(() => expect.stringMatching(GROUP_ID)))
    expect(all.some((receipt) => 'duplicate' in receipt)).toBe(false)
    await resultsOf(environment, all)
    await down.listen()

    const ended = await Promise.all(
      [...approved, ...others].map((receipt) => environment.waitForDeliveries(receipt)),
    )
    for (const deliveries of ended) {
      expect(deliveries).toMatchObject([
        { endpoint: 'Down', state: 'delivered' },
        { endpoint: 'Flaky', state: 'delivered' },
        { endpoint: 'Healthy', state: 'delivered', attempts: 1 },
      ])
    }
    expect(countsOf(healthy)).toEqual(countsOf({ requests: all.map(asRequest) }))
    expect(new Set(Object.keys(countsOf(down)))).toEqual(new Set([...approved, ...others].map(idOf)))
    const flakyCounts = countsOf(flaky)
    for (const [index, receipt] of [...approved, ...others].entries()) {
      expect(ended[index]?.[1]?.attempts).toBe(flakyCounts[receipt.eventId])
    }
    expect(Math.max(...Object.values(flakyCounts))).toBeGreaterThan(1)
    for (const receipt of updated) {
      const { deliveries } = await syncService.deliveries('schedule.updated', receipt.eventId)
      expect(deliveries).toMatchObject([{ endpoint: 'Healthy', state: 'delivered', attempts: 1 }])
    }
  })

  test('are found by their ids, in the process that emitted them and in others', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    const accepting = await environment.startReceiver(202)
    const failing = await environment.startReceiver(503)
    await syncService.registerEndpoint('Healthy', { url: receiver.url })
    await syncService.registerEndpoint('Queueing', { url: accepting.url })
    await syncService.registerEndpoint('Failing', { url: failing.url, events: ['policy.approved'] })
    const [, updated, , approved] = await syncService.emitMany(
      ['schedule.updated', 'schedule.updated', 'crew.left', 'policy.approved'].map((type) => ({
        type,
        data: {},
        key: 'shift/7',
      })),
    )
    const [result] = await resultsOf(environment, [updated!])
    const { attemptedAt } = result as { attemptedAt: string }
    await using other = connectOther(environment)

    for (const service of [syncService, other]) {
      const { deliveries } = await service.deliveries('schedule.updated', updated!.eventId)
      expect(deliveries).toEqual([
        { endpoint: 'Healthy', state: 'delivered', attempts: 1, lastStatus: 200, endedAt: attemptedAt },
        { endpoint: 'Queueing', state: 'delivered', attempts: 1, lastStatus: 202, endedAt: attemptedAt },
      ])
      expect((await service.deliveries('policy.approved', approved!.eventId)).deliveries).toMatchObject([
        { endpoint: 'Failing', state: 'attempting', lastStatus: 503 },
        { endpoint: 'Healthy', state: 'delivered', attempts: 1 },
        { endpoint: 'Queueing', state: 'delivered', attempts: 1 },
      ])
      const page = await service.deliveries('schedule.updated', updated!.eventId, { limit: 1 })
      expect(page).toMatchObject({ deliveries: [{ endpoint: 'Healthy' }], nextCursor: '1' })
      // The id of one type is not that of another.
      await expect(service.deliveries('policy.approved', updated!.eventId)).rejects.toMatchObject({
        code: 'EVENT_NOT_FOUND',
      })
    }
    const own = await environment.temporal.client.workflow
      .getHandle(`policy.approved/${approved!.eventId}`)
      .describe()
    expect(await own.staticSummary()).toBe('policy.approved · shift/7')
    expect(own.typedSearchAttributes.getAll()).toContainEqual(expect.objectContaining({ value: 'shift/7' }))
  })

  test('are listed on the page of their group in the Temporal UI', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    await syncService.registerEndpoint('Healthy', { url: (await environment.startReceiver()).url })
    const rejecting = await environment.startReceiver(422)
    await syncService.registerEndpoint('Rejecting', { url: rejecting.url, events: ['policy.approved'] })

    const receipts = await syncService.emitMany([
      ...eventsOf('schedule.updated', 3),
      { type: 'policy.approved', data: {} },
    ])

    const [result] = await resultsOf(environment, receipts)
    expect(result).toMatchObject({
      subscribers: { 'schedule.updated': ['Healthy'] },
      events: [
        ...receipts.slice(0, 3).map(({ eventId: id }) => ({ type: 'schedule.updated', id, statuses: [200] })),
        { type: 'policy.approved', id: receipts[3]!.eventId },
      ],
    })
    const details = await currentDetails(environment, receipts[0]!.workflowId)
    expect(details).toContain('**4 events, 1 of them go on in workflows of their own**')
    expect(details).toContain(`| schedule.updated/${receipts[0]?.eventId} | ✅ delivered | 1 |`)
    expect(details).toContain(`| policy.approved/${receipts[3]?.eventId} | 🔄 goes on |  |`)
  })

  test('go in groups of 200 at most, of the longest ids too', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    await syncService.registerEndpoint('E'.repeat(64), { url: receiver.url })

    const receipts = await syncService.emitMany(
      Array.from({ length: 430 }, (_, number) => ({
        type: 't'.repeat(100),
        data: { number },
        id: `${number}`.padStart(128, 'i'),
      })),
    )
    await receiver.waitForRequests(430)

    const sizes = Object.values(sizesOf(receipts))
    expect(Math.max(...sizes)).toBe(200)
    expect(sizes).toHaveLength(3)
    expect(receipts.map(idOf)).toEqual(Array.from({ length: 430 }, (_, n) => `${n}`.padStart(128, 'i')))
    for (const receipt of [receipts[0]!, receipts[399]!, receipts[429]!]) {
      expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered' }])
    }
    // On a busy machine an answer may come after the time of a first attempt.
    expect(Object.keys(countsOf(receiver))).toHaveLength(430)
  })

  test('go in groups that a message takes, in bytes, with every endpoint failing too', async () => {
    await using environment = await createEnvironment({ grouping: 'auto' })
    const { syncService } = environment
    const receiver = await environment.startReceiver()
    // Each excerpt takes as much as is kept.
    const failing = await environment.startReceiver(
      (_, response) => void response.writeHead(503).end('…'.repeat(2_000)),
    )
    await syncService.registerEndpoint('Healthy', { url: receiver.url })
    for (const name of ['Failing-1', 'Failing-2', 'Failing-3']) {
      await syncService.registerEndpoint(name, { url: failing.url, retry: RETRY })
    }
    // Three bytes for each character.
    const content = '警'.repeat(66_000)

    const receipts = await syncService.emitMany(
      Array.from({ length: 20 }, (_, number) => ({ type: 'policy.approved', data: { number, content } })),
    )
    await receiver.waitForRequests(20)
    failing.respondWith(200)

    expect(Math.max(...Object.values(sizesOf(receipts)))).toBe(2)
    for (const receipt of receipts) {
      expect(await environment.waitForDeliveries(receipt)).toMatchObject([
        { state: 'delivered' },
        { state: 'delivered' },
        { state: 'delivered' },
        { endpoint: 'Healthy', state: 'delivered', attempts: 1 },
      ])
    }
    expect(Object.values(countsOf(receiver))).toEqual(receipts.map(() => 1))
  })
})

test('an event that is emitted alone has a workflow of its own', async () => {
  await using environment = await createEnvironment({ grouping: 'auto' })
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })

  const receipt = await syncService.emit('policy.approved', {})
  const [one] = await syncService.emitMany([{ type: 'policy.approved', data: {} }])

  for (const { eventId, ...rest } of [receipt, one!]) {
    expect(rest).toEqual({ workflowId: `policy.approved/${eventId}`, duplicate: false })
  }
  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 1 }])
})

function eventsOf(type: string, count: number): EventToEmit[] {
  return Array.from({ length: count }, (_, number) => ({ type, data: { number } }))
}

function idOf({ eventId }: Receipt): string {
  return eventId
}

function asRequest({ eventId }: Receipt) {
  return { headers: { 'webhook-id': eventId } }
}

/** How often each event was received. */
function countsOf({
  requests,
}: {
  requests: readonly Pick<Receiver['requests'][number], 'headers'>[]
}): Record<string, number> {
  return tally(requests.map(({ headers }) => String(headers['webhook-id'])))
}

/** How many events each workflow took. */
function sizesOf(receipts: readonly Receipt[]): Record<string, number> {
  return tally(receipts.map(({ workflowId }) => workflowId))
}

function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values.toSorted()) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** What the groups leave on record, as soon as they have made their first attempts. */
function resultsOf({ temporal }: SyncTestEnvironment, receipts: readonly Receipt[]): Promise<unknown[]> {
  return Promise.all(
    Object.keys(sizesOf(receipts)).map((id) => temporal.client.workflow.getHandle(id).result()),
  )
}

/** A service that remembers none of what was emitted by the environment's own. */
function connectOther({ temporal, store, taskQueue }: SyncTestEnvironment): SyncService {
  return new SyncService({ client: temporal.client, store, taskQueue, grouping: 'auto' })
}

async function currentDetails({ temporal }: SyncTestEnvironment, workflowId: string): Promise<string> {
  return textIn(
    await temporal.client.workflowService.queryWorkflow({
      namespace: 'default',
      execution: { workflowId },
      query: { queryType: '__temporal_workflow_metadata' },
    }),
  )
}
