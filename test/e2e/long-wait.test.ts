import type { History } from '@temporalio/common/lib/proto-utils.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Delivery, Receipt } from '../../src/client.js'
import { SyncTestEnvironment, type Receiver, type Respond } from '../../src/testing/index.js'

const DAYS = 30
const DAY_MS = 24 * 60 * 60_000
/** The slowest that attempts may follow each other, so that trouble is not over long before it is noticed. */
const SLOW_INTERVAL_MS = 15 * 60_000
/** From here on Temporal warns that a history is long. */
const LONG_HISTORY_EVENTS = 10_240
const DATA = { entity: 'policy/42' }

let environment: SyncTestEnvironment
let receivers: Record<'failing' | 'healthy' | 'misconfigured', Receiver>
let receipt: Receipt
let deliveries: Delivery[]

/** A month in simulated time, in which one endpoint works and two do not. */
beforeAll(async () => {
  environment = await SyncTestEnvironment.createTimeSkipping()
  const endMs = (await environment.temporal.currentTimeMs()) + DAYS * DAY_MS
  const untilEnd =
    (trouble: (...args: Parameters<Exclude<Respond, number>>) => void): Respond =>
    async (request, response) => {
      if ((await environment.temporal.currentTimeMs()) < endMs) trouble(request, response)
      else response.writeHead(200).end()
    }
  receivers = {
    failing: await environment.startReceiver(
      untilEnd((_, response) => response.writeHead(503, { 'retry-after': '3600' }).end()),
    ),
    healthy: await environment.startReceiver(),
    misconfigured: await environment.startReceiver(untilEnd((_, response) => response.writeHead(401).end())),
  }
  for (const [name, { url }] of Object.entries(receivers)) {
    await environment.syncService.registerEndpoint(name, { url })
  }
  receipt = await environment.syncService.emit('policy.approved', DATA)
  deliveries = await environment.waitForDeliveries(receipt)
}, 600_000)

afterAll(() => environment.close())

test('an endpoint that is misconfigured for 30 days gets the event when it no longer is', async () => {
  const [first] = await historiesOfRuns()
  const delivery = deliveries.find(({ endpoint }) => endpoint === 'misconfigured')

  expect(delivery).toMatchObject({ state: 'delivered', lastStatus: 200 })
  expect(delivery?.attempts).toBe(receivers.misconfigured.requests.length)
  expect(delivery?.attempts).toBeGreaterThanOrEqual((DAYS * DAY_MS) / SLOW_INTERVAL_MS)
  const waitedMs = Date.parse(delivery?.endedAt ?? '') - startMsOf(first)
  expect(waitedMs).toBeGreaterThanOrEqual(DAYS * DAY_MS)
  expect(waitedMs).toBeLessThan(DAYS * DAY_MS + 2 * SLOW_INTERVAL_MS)
})

test('the event continues as new before its history is long', async () => {
  const histories = await historiesOfRuns()

  expect(histories.length).toBeGreaterThan(1)
  for (const { events } of histories) expect(events?.length).toBeLessThan(LONG_HISTORY_EVENTS)
})

test('the delivery that is in a round meanwhile is not lost', () => {
  expect(deliveries).toContainEqual(
    expect.objectContaining({ endpoint: 'failing', state: 'delivered', lastStatus: 200 }),
  )
  expect(receivers.failing.requests.length).toBeGreaterThan(DAYS * 24)
})

test('the delivery that has ended is not made again', () => {
  expect(deliveries).toContainEqual(
    expect.objectContaining({ endpoint: 'healthy', state: 'delivered', attempts: 1 }),
  )
  expect(receivers.healthy.requests).toHaveLength(1)
})

test('every attempt carries the same id and the same data', () => {
  const requests = Object.values(receivers).flatMap((receiver) => receiver.requests)

  expect(new Set(requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([receipt.eventId]))
  expect(new Set(requests.map(({ text }) => text)).size).toBe(1)
})

test('the event is known in its last run too: again it is a duplicate, with other data a conflict', async () => {
  const { syncService } = environment
  const { eventId: id } = receipt

  expect(await syncService.emit('policy.approved', DATA, { id })).toEqual({ ...receipt, duplicate: true })
  await expect(syncService.emit('policy.approved', {}, { id })).rejects.toMatchObject({
    code: 'EVENT_CONFLICT',
  })
})

/** The histories of all runs, the first one first. */
async function historiesOfRuns(): Promise<History[]> {
  const histories: History[] = []
  let runId: string | null | undefined
  do {
    const handle = environment.temporal.client.workflow.getHandle(receipt.workflowId, runId ?? undefined)
    const history = await handle.fetchHistory()
    histories.unshift(history)
    runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId
  } while (runId)
  return histories
}

function startMsOf(history: History | undefined): number {
  return Number(history?.events?.[0]?.eventTime?.seconds) * 1_000
}
