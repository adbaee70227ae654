import { randomUUID } from 'node:crypto'
import { describe, expect, inject, test } from 'vitest'
import { createEnvironment } from '../support/environment.js'
import { EventConflictError, SyncService } from '../../src/client.js'
import type { Receiver, Respond, SyncTestEnvironment } from '../../src/testing/index.js'

const DATA = { entity: 'policy/42' }
const OTHER_DATA = { entity: 'policy/43' }

describe.concurrent('an event that is emitted again', { timeout: 120_000 }, () => {
  test('at once is a duplicate, and is delivered once', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    const receiver = await registerReceiver(environment)
    const id = randomUUID()

    const first = await syncService.emit('policy.approved', DATA, { id })
    const second = await syncService.emit('policy.approved', DATA, { id })

    expect(first).toMatchObject({ eventId: id, duplicate: false })
    expect(second).toEqual({ ...first, duplicate: true })
    await environment.waitForDeliveries(first)
    expect(receiver.requests).toHaveLength(1)
  })

  test('after it was delivered is a duplicate, and nothing is delivered again', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    const receiver = await registerReceiver(environment)
    const id = randomUUID()
    const first = await syncService.emit('policy.approved', DATA, { id })
    const deliveries = await environment.waitForDeliveries(first)

    const again = await syncService.emit('policy.approved', DATA, { id })

    expect(again).toEqual({ ...first, duplicate: true })
    expect(await environment.waitForDeliveries(again)).toEqual(deliveries)
    const next = await syncService.emit('policy.approved', DATA)
    await environment.waitForDeliveries(next)
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([id, next.eventId])
  })

  test('by two clients at the same time is accepted once and delivered once', async () => {
    await using environment = await createEnvironment()
    const receiver = await registerReceiver(environment)
    await using one = await connectClient(environment)
    await using other = await connectClient(environment)
    const id = randomUUID()

    const clients = Array.from({ length: 20 }, () => [one, other]).flat()
    const receipts = await Promise.all(clients.map((client) => client.emit('policy.approved', DATA, { id })))

    expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    for (const receipt of receipts) expect(receipt).toMatchObject({ workflowId: `policy.approved/${id}` })
    await environment.waitForDeliveries({ workflowId: `policy.approved/${id}` })
    expect(receiver.requests).toHaveLength(1)
  })

  test('with other data is a conflict, while it waits and after it was delivered', async () => {
    await using environment = await createEnvironment()
    const { syncService } = environment
    const receiver = await registerReceiver(environment, 503, 200)
    const id = randomUUID()
    const receipt = await syncService.emit('policy.approved', DATA, { id })

    const whileOpen = await rejection(syncService.emit('policy.approved', OTHER_DATA, { id }))
    await environment.waitForDeliveries(receipt)
    const whenClosed = await rejection(syncService.emit('policy.approved', OTHER_DATA, { id }))

    for (const conflict of [whileOpen, whenClosed]) {
      expect(conflict).toBeInstanceOf(EventConflictError)
      expect(conflict).toMatchObject({ code: 'EVENT_CONFLICT', eventType: 'policy.approved', eventId: id })
    }
    const envelope = { event: 'policy.approved', data: DATA }
    expect(receiver.requests.map(({ body }) => body)).toEqual([envelope, envelope])
  })
})

async function registerReceiver(
  environment: SyncTestEnvironment,
  ...responses: Respond[]
): Promise<Receiver> {
  const receiver = await environment.startReceiver(...responses)
  await environment.syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
  return receiver
}

/** A service with a connection of its own. */
function connectClient({ store, taskQueue }: SyncTestEnvironment): Promise<SyncService> {
  return SyncService.connect({ env: {}, temporal: { address: inject('temporalAddress') }, store, taskQueue })
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.unreachable(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
}
