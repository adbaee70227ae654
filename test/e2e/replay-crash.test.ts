import { expect, test, vi } from 'vitest'
import type { Replay, SyncService } from '../../src/client.js'
import type { Receiver } from '../../src/testing/index.js'
import { idsOf, waitForReplay } from '../support/replays.js'
import { openEmbedded, openProcesses, type SeparateProcesses } from '../support/separate-processes.js'

vi.setConfig({ testTimeout: 240_000 })

const COUNT = 5_000
const PER_SECOND = 500
/** What was sent within a slice, and in the second that its end takes, is sent again after a crash. */
const MOST_AGAIN = PER_SECOND * 6

test('a replay goes on where it was after its worker was killed', async (context) => {
  const processes = await openProcesses(context)
  const worker = await processes.startWorker()
  const past = await emitPast(processes)
  const replay = await past.start()
  const before = await halfway(past, replay)

  await worker.end('SIGKILL')
  await processes.startWorker()

  await expectAllSent(past, replay, before)
})

test('a replay goes on where it was after the Temporal server was killed', async (context) => {
  const embedded = await openEmbedded(context)
  const system = await embedded.startEmbedded()
  const past = await emitPast(embedded)
  const replay = await past.start()
  const before = await halfway(past, replay)
  await past.syncService.close()

  await system.end('SIGKILL')
  await embedded.startEmbedded()

  await expectAllSent({ ...past, syncService: await embedded.connect() }, replay, before)
})

test('a replay goes on after the process that has started it was killed', async (context) => {
  const processes = await openProcesses(context)
  await processes.startWorker()
  const past = await emitPast(processes)
  const caller = await processes.runScript(`
    import { SyncService } from 'external-sync'
    const syncService = await SyncService.connect()
    const { id } = await syncService.startReplay({
      endpoint: 'EMS', since: '2026-01-01T00:00:00Z', perSecond: ${PER_SECOND},
    })
    console.log('started ' + id + ' ')
    setInterval(() => syncService.getReplay(id), 1_000)
  `)
  await caller.waitForOutput('started')
  const id = /started (\S+) /.exec(caller.output)?.[1] ?? ''
  const before = await halfway(past, { id })

  await caller.end('SIGKILL')

  await expectAllSent(past, { id }, before)
  expect(past.receiver.requests).toHaveLength(COUNT)
})

interface Past {
  syncService: SyncService
  receiver: Receiver
  ids: string[]
  start(): Promise<Replay>
}

/** Emits in groups what no endpoint wants, and registers one that does. */
async function emitPast(processes: SeparateProcesses): Promise<Past> {
  const syncService = await processes.connect({ grouping: 'auto' })
  const events = Array.from({ length: COUNT }, (_, number) => ({ type: 'policy.approved', data: { number } }))
  const receipts = await syncService.emitMany(events)
  // An endpoint that is registered now gets what has no delivery yet, without any replay.
  const oneOfEach = new Map(receipts.map(({ workflowId, eventId }) => [workflowId, eventId]))
  for (const id of oneOfEach.values()) await syncService.deliveries('policy.approved', id)
  const receiver = await processes.startReceiver()
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  return {
    syncService,
    receiver,
    ids: receipts.map(({ eventId }) => eventId),
    start: () =>
      syncService.startReplay({ endpoint: 'EMS', since: '2026-01-01T00:00:00Z', perSecond: PER_SECOND }),
  }
}

/** Waits until it has said for the first time how much it has sent, and has sent some more. */
async function halfway({ syncService, receiver }: Past, replay: Pick<Replay, 'id'>): Promise<Replay> {
  const before = await vi.waitFor(
    async () => {
      const now = await syncService.getReplay(replay.id)
      expect(now.sent).toBeGreaterThan(0)
      return now
    },
    { timeout: 60_000, interval: 200 },
  )
  expect(before).toMatchObject({ status: 'running', total: COUNT })
  expect(before.sent).toBeLessThan(COUNT - PER_SECOND)
  await receiver.waitForRequests(before.sent + PER_SECOND)
  return before
}

async function expectAllSent(
  { syncService, receiver, ids }: Past,
  replay: Pick<Replay, 'id'>,
  before: Replay,
): Promise<void> {
  expect((await syncService.getReplay(replay.id)).sent).toBeGreaterThanOrEqual(before.sent)
  const ended = await waitForReplay(syncService, replay, { status: 'completed' }, 180_000)
  expect(ended).toMatchObject({ total: COUNT, sent: COUNT, waiting: 0, discarded: 0, missing: 0 })
  const received = idsOf(receiver.requests)
  expect(new Set(received)).toEqual(new Set(ids))
  expect(received.length - COUNT).toBeLessThan(MOST_AGAIN)
  // Nothing of what it had said to be sent was sent again.
  const early = new Set(received.slice(0, before.sent))
  expect(received.slice(before.sent).filter((id) => early.has(id))).toEqual([])
}
