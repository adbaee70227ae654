import { Client, Connection } from '@temporalio/client'
import { expect, inject, onTestFinished, test } from 'vitest'
import { SyncService } from '../../src/client.js'
import { startReceiver } from '../../src/testing/index.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const EVENTS = 200
const EMITTERS = 20

test('with a worker of its own, a service hands its events to it without a way through the task queue', async () => {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.stop())
  await using syncService = await connect({ worker: true })
  await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })

  const workflowIds: string[] = []
  await Promise.all(
    Array.from({ length: EMITTERS }, async () => {
      for (let count = 0; count < EVENTS / EMITTERS; count += 1) {
        const { workflowId } = await syncService.emit('policy.approved', { count })
        workflowIds.push(workflowId)
      }
    }),
  )
  await receiver.waitForRequests(EVENTS)

  const eager = await Promise.all(workflowIds.map(startedEagerly))
  // On a machine that is busy elsewhere, a start may not wait until the worker gets to those before it.
  expect(eager.filter(Boolean).length).toBeGreaterThan(0.9 * EVENTS)
})

test('its connectors are those that the service was given', async () => {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.stop())
  const connector = {
    name: 'cad',
    toRequest: () => ({ url: receiver.url, method: 'PUT' as const, body: 'CAD' }),
  }
  await using syncService = await connect({ worker: { connectors: [connector] } })
  await syncService.registerEndpoint('911-Dispatch', { url: receiver.url, connector: 'cad' })

  await syncService.emit('policy.approved', {})
  await receiver.waitForRequests(1)

  expect(receiver.requests[0]).toMatchObject({ method: 'PUT', text: 'CAD' })
})

test('a worker beside a given client is refused', () => {
  expect(() => new SyncService({ client: {} as Client, worker: true })).toThrow(/worker .*none beside client/)
})

async function connect(options: Pick<ConstructorParameters<typeof SyncService>[0] & object, 'worker'>) {
  return SyncService.connect({
    env: {
      SYNC_DATA_DIR: await temporaryFolder(),
      SYNC_TASK_QUEUE: `own-worker-${crypto.randomUUID()}`,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
    },
    allowNetworks: ['127.0.0.0/8'],
    ...options,
  })
}

async function startedEagerly(workflowId: string): Promise<boolean> {
  const connection = await sharedConnection()
  const { events } = await new Client({ connection }).workflow.getHandle(workflowId).fetchHistory()
  return events?.[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted === true
}

let connected: Promise<Connection> | undefined

function sharedConnection(): Promise<Connection> {
  connected ??= Connection.connect({ address: inject('temporalAddress') })
  return connected
}
