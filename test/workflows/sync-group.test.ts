import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { expect, inject, onTestFinished, test } from 'vitest'
import type { GroupAttempts } from '../../src/activities/first-attempts-of-group.js'
import type { FirstAttempt } from '../../src/activities/first-attempts.js'
import { hashOf } from '../../src/domain/data-hash.js'
import type { SyncEventResult, SyncGroupInput } from '../../src/workflows/messages.js'

const BUNDLE = fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url))

test('an event of which a group has made no attempt resolves and attempts its endpoints in its own workflow', async () => {
  const id = crypto.randomUUID()
  const event = { type: 'policy.approved', id, time: '2026-01-01T00:00:00.000Z', data: {}, key: 'policy/42' }
  const attempted: unknown[] = []
  const client = await startWorker(id, {
    firstAttemptsOfGroup: (): Promise<GroupAttempts> =>
      Promise.resolve({ subscribers: {}, outcomes: [{ kind: 'unfinished', dataHash: hashOf({}) }] }),
    firstAttempts: (input: unknown): Promise<FirstAttempt[]> => {
      attempted.push(input)
      const evidence = [{ at: event.time, durationMs: 1, status: 200 }]
      return Promise.resolve([{ endpoint: 'EMS', outcome: { kind: 'delivered', attempts: 1, evidence } }])
    },
  })

  const group = await client.workflow.start('syncGroup', {
    workflowId: `external-sync.group/${id}`,
    taskQueue: id,
    args: [{ events: [event], registryRevision: 7 } satisfies SyncGroupInput],
  })

  expect(await group.result()).toMatchObject({ events: [{ type: event.type, id }] })
  const { startTime } = await group.describe()
  const own = client.workflow.getHandle(`policy.approved/${id}`)
  const { deliveries } = (await own.result()) as SyncEventResult
  expect(deliveries).toMatchObject([{ endpoint: 'EMS', state: 'delivered', attempts: 1 }])
  expect(attempted).toEqual([{ event, acceptedAt: startTime.toISOString(), registryRevision: 7 }])
  expect((await own.describe()).memo).toEqual({ dataHash: hashOf({}) })
})

/** A worker with these activities, and a client. */
async function startWorker(taskQueue: string, activities: object): Promise<Client> {
  const address = inject('temporalAddress')
  const connection = await NativeConnection.connect({ address })
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: { codePath: BUNDLE },
    activities,
  })
  const running = worker.run()
  const clientConnection = await Connection.connect({ address })
  onTestFinished(async () => {
    worker.shutdown()
    await running
    await connection.close()
    await clientConnection.close()
  })
  return new Client({ connection: clientConnection })
}
