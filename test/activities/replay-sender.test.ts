import type { Client } from '@temporalio/client'
import { expect, test } from 'vitest'
import { createReplaySender } from '../../src/activities/replay-sender.js'
import { createEndpointHealth } from '../../src/delivery/endpoint-health.js'
import type { StoredEndpoint } from '../../src/store/endpoint-store.js'
import type { Found } from '../../src/temporal/past-events.js'
import type { Respond } from '../../src/testing/receiver.js'
import type { SyncEventInput } from '../../src/workflows/messages.js'
import { openReceiver, workerParts } from '../support/attempts.js'

const CURSOR = { startedAt: '2026-11-25T00:00:00.000Z', runId: 'r', spanMs: 1 }
const EVENT = { type: 'policy.approved', id: '1', time: '2026-11-25T00:00:00Z', data: {} }
const FOUND: Found = { kind: 'event', event: EVENT, cursor: CURSOR }
const FULL = { waiting: 100, recent: 100 }

test('what is taken is sent, and what is not goes on from its attempt', async () => {
  const { take, started } = await open({ responses: [200, 503] })

  expect(await take()).toEqual({ sent: 1, cursor: CURSOR })
  expect(started).toEqual([])
  expect(await take()).toEqual({ sent: 1, wentOn: 1, cursor: CURSOR })
  expect(started).toMatchObject([
    {
      endpoints: ['EMS'],
      deliveries: [{ endpoint: 'EMS', state: 'attempting', attempts: 1, lastStatus: 503 }],
    },
  ])
})

test('while many wait, what fails is held up and sent later, and what is rejected goes on', async () => {
  const { take, started, sender } = await open({ responses: [200, 422, 503], ...FULL })

  expect(sender.concurrency).toBe(1)
  expect(await take()).toEqual({ sent: 1, cursor: CURSOR })
  expect(await take()).toEqual({ sent: 1, wentOn: 1, cursor: CURSOR })
  expect(started).toHaveLength(1)
  expect(sender.heldUp).toBeUndefined()
  expect(await take()).toBeUndefined()
  expect(sender.heldUp).toBe('waiting')
  expect(started).toHaveLength(1)
})

test('what has waited for long does not hold up the others', async () => {
  const { take, sender } = await open({ responses: [503], waiting: 100, recent: 99 })

  expect(sender.concurrency).toBe(20)
  expect(await take()).toMatchObject({ sent: 1, wentOn: 1 })
  expect(await take()).toBeUndefined()
})

test.for([{}, { maxAttemptsPerSecond: 5 }])(
  'an endpoint that is paused gets no request, and nothing waits for it, with %o',
  async (limit) => {
    const { take, started, sender, requests } = await open({ endpoint: { state: 'paused', ...limit } })

    expect(await take()).toBeUndefined()
    expect(sender.heldUp).toBe('paused')
    expect({ requests, started }).toEqual({ requests: [], started: [] })
  },
)

test('an endpoint that is down gets no request until a probe is due', async () => {
  const health = createEndpointHealth()
  const endpoint = { name: 'EMS', version: 'v1' }
  const failed = { verdict: { kind: 'retry' }, isAnswered: true, durationMs: 5, hasWaited: false } as const
  const now = Date.now()
  for (const ago of [20_000, 15_000, 10_000, 5_000, 1_000])
    health.observe(endpoint, { ...failed, startedAt: now - ago })
  const { take, sender, requests } = await open({ responses: [503], health })
  expect(sender.concurrency).toBe(1)

  expect(await take()).toMatchObject({ sent: 1, wentOn: 1 })
  expect(await take()).toBeUndefined()

  expect(sender.heldUp).toBe('down')
  expect(requests).toHaveLength(1)
})

test('an endpoint with a rate limit gets each event from a workflow of its own, and few at a time', async () => {
  const limited = { endpoint: { maxAttemptsPerSecond: 500 } }
  const { take, started, requests } = await open(limited)
  expect(await take()).toEqual({ sent: 1, wentOn: 1, cursor: CURSOR })
  expect(requests).toHaveLength(0)
  expect(started).toMatchObject([{ endpoints: ['EMS'], firstAttempts: 'together' }])

  const full = await open({ ...limited, ...FULL })
  expect(await full.take()).toBeUndefined()
  expect(full.sender.heldUp).toBe('waiting')
})

test('others get half of what an endpoint takes at a time', async () => {
  const { sender } = await open({ endpoint: { maxConcurrentAttempts: 8 } })

  expect(sender.concurrency).toBe(4)
})

test('a slice that is cancelled sends no more', async () => {
  const { take, requests, stop } = await open({})
  stop()

  expect(await take()).toBeUndefined()
  expect(requests).toHaveLength(0)
})

interface System {
  endpoint?: Partial<StoredEndpoint> & { maxAttemptsPerSecond?: number; maxConcurrentAttempts?: number }
  responses?: [Respond, ...Respond[]]
  health?: ReturnType<typeof createEndpointHealth>
  /** How many of the replay's events go on by themselves, and how many of them since lately. */
  waiting?: number
  recent?: number
}

async function open({
  endpoint: settings,
  responses = [200],
  health = createEndpointHealth(),
  waiting = 0,
  recent = 0,
}: System) {
  const receiver = await openReceiver(...responses)
  const endpoint = {
    name: 'EMS',
    url: receiver.url,
    state: 'active',
    version: 'v1',
    createdAt: '2026-11-25T00:00:00Z',
    updatedAt: '2026-11-25T00:00:00Z',
    ...settings,
  } as StoredEndpoint
  const started: SyncEventInput[] = []
  const workflow = {
    count: () => Promise.resolve({ count: recent }),
    start: (_: string, { args }: { args: [SyncEventInput] }) => Promise.resolve(void started.push(args[0])),
  }
  const stopping = new AbortController()
  const sender = await createReplaySender(
    {
      client: { workflow } as unknown as Client,
      ...workerParts(endpoint),
      health,
      readDelivery: () => Promise.resolve(undefined),
      expressAttempts: true,
    },
    {
      replay: {
        id: '0198c5a2-7b1e-7000-8000-000000000001',
        endpoint: 'EMS',
        since: CURSOR.startedAt,
        reachesBackTo: CURSOR.startedAt,
        perSecond: 1_000,
        isPaused: false,
        sent: 0,
        wentOn: 0,
        waiting,
        discarded: 0,
        skipped: 0,
        missing: 0,
      },
      endpoint,
      taskQueue: 'q',
      waiting,
      signal: stopping.signal,
    },
  )
  return {
    sender,
    started,
    requests: receiver.requests,
    take: () => sender.take(FOUND),
    stop: () => stopping.abort(),
  }
}
