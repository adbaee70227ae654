import { Client, Connection } from '@temporalio/client'
import { expect, inject, onTestFinished, test } from 'vitest'
import { StartQueue } from '../../src/client/start-queue.js'
import type { SyncEvent } from '../../src/domain/event.js'
import { GROUP_ID } from '../support/grouping.js'

test('an event that comes while nothing is under way goes at once, and others gather while two are', async () => {
  const queue = await openQueue('auto')

  const first = queue.start(inputOf('1'))
  await untilSent()
  const second = queue.start(inputOf('2'))
  await untilSent()
  const gathered: Promise<{ workflowId: string }>[] = []
  for (const id of ['3', '4', '5']) {
    gathered.push(queue.start(inputOf(id)))
    await untilSent()
  }

  for (const [id, alone] of [
    ['1', first],
    ['2', second],
  ] as const) {
    expect(await alone).toMatchObject({ workflowId: expect.stringMatching(/^policy/), duplicate: false })
    expect((await alone).eventId).toBe(inputOf(id).event.id)
  }
  const [third, ...others] = await Promise.all(gathered)
  expect(third?.workflowId).toMatch(GROUP_ID)
  expect(others.map(({ workflowId }) => workflowId)).toEqual([third?.workflowId, third?.workflowId])
})

test('without grouping each event has a workflow of its own, however many come', async () => {
  const queue = await openQueue('off')
  const ids = Array.from({ length: 150 }, (_, number) => `${number}`)

  const receipts = await Promise.all(ids.map((id) => queue.start(inputOf(id))))

  expect(receipts).toEqual(
    ids.map((id) => {
      const { type, id: eventId } = inputOf(id).event
      return { eventId, workflowId: `${type}/${eventId}`, duplicate: false }
    }),
  )
})

test('a group is started as of the latest revision of the registry that one of its events needs', async () => {
  const { client, queue } = await openWithClient('auto')

  const [receipt] = await Promise.all([
    queue.start({ ...inputOf('1'), registryRevision: 3 }),
    queue.start({ ...inputOf('2'), registryRevision: 5 }),
    queue.start(inputOf('3')),
  ])

  const { events } = await client.workflow.getHandle(receipt.workflowId).fetchHistory()
  const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data
  const { registryRevision, events: sent } = JSON.parse(new TextDecoder().decode(input ?? undefined))
  expect(registryRevision).toBe(5)
  expect(sent).toHaveLength(3)
})

const RUN = crypto.randomUUID()

function inputOf(id: string): { event: SyncEvent } {
  const { currentTestName = '' } = expect.getState()
  const type = `policy.${currentTestName.replace(/\W/g, '').slice(0, 40)}`
  return { event: { type, id: `${RUN}-${id}`, time: '2026-01-01T00:00:00.000Z', data: {} } }
}

/** What an event is handed over in, without any answer of Temporal having been read. */
async function untilSent(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

async function openQueue(grouping: 'off' | 'auto'): Promise<StartQueue> {
  return (await openWithClient(grouping)).queue
}

/** A queue whose events no worker gets. */
async function openWithClient(grouping: 'off' | 'auto') {
  const connection = await Connection.connect({ address: inject('temporalAddress') })
  onTestFinished(() => connection.close())
  const client = new Client({ connection })
  return { client, queue: new StartQueue({ client, taskQueue: `nobody-${RUN}`, grouping }) }
}
