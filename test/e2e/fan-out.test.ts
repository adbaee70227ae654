import { expect, test } from 'vitest'
import type { Delivery, Receipt } from '../../src/client.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { openEnvironment } from '../support/environment.js'

/** More than one workflow takes. */
const MANY = 250
/** What the server warns of. */
const MAX_HISTORY_EVENTS = 10_240
const MAX_HISTORY_BYTES = 10 * 1024 * 1024

test('an event of many endpoints arrives once at each, and all its deliveries are found in order', async () => {
  const environment = await openEnvironment()
  const receiver = await environment.startReceiver()
  const names = await registerMany(environment, receiver.url, MANY)

  const receipt = await environment.syncService.emit('policy.approved', {})
  const delivered = await environment.waitForDeliveries(receipt)

  expect(delivered.map(({ endpoint }) => endpoint)).toEqual(names)
  expect(delivered.every(({ state }) => state === 'delivered')).toBe(true)
  expect(new Set(receiver.requests.map(({ path }) => path)).size).toBe(MANY)
  expect(receiver.requests).toHaveLength(MANY)
  expect((await allDeliveries(environment, receipt)).map(({ endpoint }) => endpoint)).toEqual(names)
})

test('all of them failing at once are retried and delivered, in histories within their limits', async () => {
  const environment = await openEnvironment()
  let isUp = false
  const receiver = await environment.startReceiver((_, response) => {
    response.writeHead(isUp ? 200 : 503).end()
  })
  const names = await registerMany(environment, receiver.url, MANY)
  const receipt = await environment.syncService.emit('policy.approved', { text: 'x'.repeat(100_000) })
  await receiver.waitForRequests(MANY)

  isUp = true
  const delivered = await environment.waitForDeliveries(receipt)

  expect(delivered.map(({ endpoint, state }) => [endpoint, state])).toEqual(
    names.map((name) => [name, 'delivered']),
  )
  await expectHistoriesWithinLimits(environment)
})

test('an operator retries and discards a delivery of a part', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  const names = await registerMany(environment, receiver.url, MANY)
  await syncService.pauseEndpoint(names[0]!)
  await syncService.pauseEndpoint(names[MANY - 1]!)
  const receipt = await syncService.emit('policy.approved', {})
  await receiver.waitForRequests(MANY - 2)

  await expect
    .poll(() => syncService.discardDelivery('policy.approved', receipt.eventId, names[0]!, 'moved'))
    .toMatchObject({ state: 'discarded', reason: 'moved' })
  await syncService.retryDelivery('policy.approved', receipt.eventId, names[MANY - 1]!)
  await expect(syncService.retryDelivery('policy.approved', receipt.eventId, 'Nobody')).rejects.toMatchObject(
    {
      code: 'DELIVERY_NOT_OPEN',
    },
  )
  await syncService.resumeEndpoint(names[MANY - 1]!)

  const states = (await environment.waitForDeliveries(receipt)).map(({ state }) => state)
  expect(states[0]).toBe('discarded')
  expect(states.slice(1).every((state) => state === 'delivered')).toBe(true)
})

test('an operator who terminates the event ends its parts', async () => {
  const environment = await openEnvironment()
  const receiver = await environment.startReceiver(503)
  await registerMany(environment, receiver.url, MANY)
  const receipt = await environment.syncService.emit('policy.approved', {})
  await receiver.waitForRequests(MANY)
  const attempted = async (): Promise<number> =>
    (await allDeliveries(environment, receipt)).filter(({ attempts }) => attempts > 0).length
  await expect.poll(attempted, { timeout: 60_000 }).toBe(MANY)

  const { client } = environment.temporal
  await client.workflow.getHandle(receipt.workflowId).terminate('moved')

  for (const part of [1, 2, 3]) {
    const handle = client.workflow.getHandle(`${receipt.workflowId}/${part}`)
    await expect(handle.result()).rejects.toThrow('by parent close policy')
  }
  const deliveries = await allDeliveries(environment, receipt)
  expect(deliveries).toHaveLength(MANY)
  expect(deliveries.every(({ state }) => state === 'discarded')).toBe(true)
})

/** Their names in the order in which they are resolved. */
async function registerMany({ store }: SyncTestEnvironment, url: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `Clinic-${String(index).padStart(5, '0')}`)
  for (const name of names) await store.put(name, { url: `${url}${name}` })
  return names
}

async function allDeliveries(
  { syncService }: SyncTestEnvironment,
  { eventId }: Receipt,
): Promise<Delivery[]> {
  const deliveries: Delivery[] = []
  let cursor: string | undefined
  do {
    const page = await syncService.deliveries('policy.approved', eventId, {
      ...(cursor !== undefined && { cursor }),
    })
    deliveries.push(...page.deliveries)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return deliveries
}

async function expectHistoriesWithinLimits({ temporal, taskQueue }: SyncTestEnvironment): Promise<void> {
  const runs = temporal.client.workflow.list({ query: `TaskQueue = "${taskQueue}"` })
  for await (const { workflowId, runId } of runs) {
    const { historyLength, historySize } = await temporal.client.workflow
      .getHandle(workflowId, runId)
      .describe()
    expect(historyLength).toBeLessThan(MAX_HISTORY_EVENTS)
    expect(historySize).toBeLessThan(MAX_HISTORY_BYTES)
  }
}
