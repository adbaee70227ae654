import { expect, test, vi } from 'vitest'
import { SyncService, type Receipt } from '../../src/client.js'
import { groupTokenOf, MAX_GROUP_EVENTS } from '../../src/domain/group-token.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { openEnvironment } from '../support/environment.js'
import { emitIn } from '../support/grouping.js'
import { waitForDeliveries, waitUntilWaiting } from '../support/waiting.js'

/** The longest that `emit` accepts; Postgres has 255 characters for a workflow id, and for the key. */
const LONGEST = { type: 't'.repeat(100), id: 'i'.repeat(128), key: '🚒'.repeat(200) }

vi.setConfig({ testTimeout: 120_000 })

/** Visibility lags behind the workflows. */
async function expectFound(
  { temporal, taskQueue }: SyncTestEnvironment,
  query: string,
  workflowIds: readonly string[],
): Promise<void> {
  await vi.waitFor(
    async () => {
      const found: string[] = []
      for await (const { workflowId } of temporal.client.workflow.list({
        query: `${query} AND TaskQueue = "${taskQueue}"`,
      })) {
        found.push(workflowId)
      }
      expect(found).toEqual(workflowIds)
    },
    { timeout: 30_000, interval: 200 },
  )
}

test('what waits for an endpoint is found by its name until it no longer waits', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const broken = await environment.startReceiver(401)
  await syncService.registerEndpoint('EMS-Scheduler', { url: broken.url })
  await syncService.registerEndpoint('Hospital', { url: (await environment.startReceiver()).url })
  const receipt = await syncService.emit('policy.approved', {}, { key: 'policy/42' })
  await waitUntilWaiting(environment, receipt, 'misconfigured')

  await expectFound(environment, 'SyncWaitingOn = "EMS-Scheduler"', [receipt.workflowId])
  await expectFound(environment, 'SyncWaitingCount > 0', [receipt.workflowId])
  await expectFound(environment, 'SyncWaitingOn = "Hospital"', [])

  const repaired = await environment.startReceiver()
  await syncService.updateEndpoint('EMS-Scheduler', { url: repaired.url })
  await environment.waitForDeliveries(receipt)

  await expectFound(environment, 'SyncWaitingOn = "EMS-Scheduler"', [])
  await expectFound(environment, 'SyncWaitingCount > 0', [])
})

test.each(['policy/42', "it's 50% of_all", LONGEST.key])(
  'events are found by the entity that they are about: %s',
  async (key) => {
    const environment = await openEnvironment()
    const { syncService } = environment
    const { workflowId } = await syncService.emit('policy.approved', {}, { key })
    await syncService.emit('policy.approved', {}, { key: 'policy/43' })

    await expectFound(environment, `SyncEventKey = ${JSON.stringify(key)}`, [workflowId])
  },
)

test('an event with the longest type, id and key is delivered and found', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const { type, id, key } = LONGEST
  const receiver = await environment.startReceiver(401)
  await syncService.registerEndpoint('E'.repeat(64), { url: receiver.url })
  const receipt = await syncService.emit(type, {}, { id, key })
  await waitUntilWaiting(environment, receipt, 'misconfigured')

  await expectFound(environment, `SyncWaitingOn = "${'E'.repeat(64)}"`, [receipt.workflowId])
  await expectFound(environment, `WorkflowId = "${type}/${id}"`, [receipt.workflowId])

  await syncService.updateEndpoint('E'.repeat(64), { url: (await environment.startReceiver()).url })
  expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered' }])
})

test('each event of the largest group is found by its id, where visibility is in Postgres too', async () => {
  const environment = await openEnvironment({ grouping: 'auto' })
  const { syncService, temporal, store, taskQueue } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
  const events = Array.from({ length: MAX_GROUP_EVENTS }, (_, number) => ({
    type: LONGEST.type,
    data: {},
    id: `${number}`.padStart(128, 'v'),
  }))
  const receipts = await syncService.emitMany(events)
  const [{ workflowId }] = receipts as [Receipt]
  expect(new Set(receipts.map((receipt) => receipt.workflowId))).toEqual(new Set([workflowId]))
  await temporal.client.workflow.getHandle(workflowId).result()
  // It remembers none of them.
  await using other = new SyncService({ client: temporal.client, store, taskQueue })

  for (const event of [events[0]!, events[100]!, events[199]!]) {
    await expectFound(environment, `SyncGroupEvents = "${groupTokenOf(event)}"`, [workflowId])
    expect(await other.deliveries(event.type, event.id)).toMatchObject({
      deliveries: [{ endpoint: 'EMS-Scheduler', state: 'delivered', attempts: 1 }],
    })
  }
  await expectFound(environment, 'SyncGroupEvents = "0000000"', [])
})

test('what waits of an event that went in a group is found, in its parts where it has many endpoints', async () => {
  const environment = await openEnvironment({ grouping: 'auto' })
  const { syncService } = environment
  const receiver = await environment.startReceiver(401)
  const names = Array.from({ length: 60 }, (_, number) => `Endpoint-${number + 10}-`.padEnd(64, 'x'))
  for (const name of names) {
    await syncService.registerEndpoint(name, { url: receiver.url, events: ['policy.approved'] })
  }
  await syncService.pauseEndpoint(names[0]!)

  const { eventId } = await emitIn('auto', syncService, 'policy.approved', {}, { key: LONGEST.key })

  const workflowId = `policy.approved/${eventId}`
  await expectFound(environment, `SyncWaitingOn = "${names[0]}" AND SyncWaitingCount > 0`, [
    `${workflowId}/1`,
  ])
  await expectFound(environment, `SyncEventKey = ${JSON.stringify(LONGEST.key)}`, [workflowId])
})

test('an event that waits for more endpoints than a search attribute holds is found by each, in its parts', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver(401)
  const names = Array.from({ length: 60 }, (_, number) => `Endpoint-${number + 10}-`.padEnd(64, 'x'))
  for (const name of names) await syncService.registerEndpoint(name, { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', {})
  const waiting = names.map((endpoint) => ({ endpoint, state: 'waiting', reason: 'misconfigured' }))
  await waitForDeliveries(syncService, receipt, waiting)

  await expectFound(environment, `SyncWaitingOn = "${names[0]}"`, [`${receipt.workflowId}/1`])
  await expectFound(environment, `SyncWaitingOn = "${names.at(-1)}"`, [`${receipt.workflowId}/3`])
})
