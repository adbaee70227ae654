import { setTimeout as sleep } from 'node:timers/promises'
import { defaultPayloadConverter } from '@temporalio/common'
import type { History } from '@temporalio/common/lib/proto-utils.js'
import type { Client } from '@temporalio/client'
import type { Delivery, EndpointSettings, Replay, SyncService } from '../src/client.js'
import { replayWorkflowIdOf } from '../src/domain/replay.js'
import type { Receiver, Respond } from '../src/testing/index.js'
import type { SyncEventInput } from '../src/workflows/messages.js'

/** More healthy endpoints than the recorder's real server lets fit into one run. */
const MANY = 12

/** The system in which a scenario plays. */
export interface Stage {
  readonly client: Client
  readonly syncService: SyncService
  /** Registers an endpoint that answers so, and 200 where no answer is given. */
  register(endpoint: string, ...responses: Respond[]): Promise<Receiver>
  emit(): Promise<{ workflowId: string }>
  /** Emits three events at once, and says which workflow takes them and which is the first event's own. */
  emitGroup(): Promise<{ group: { workflowId: string }; own: { workflowId: string } }>
  deliveries(event: { workflowId: string }): Promise<Delivery[]>
  /** Starts the run of a workflow that continued as new, from what it was given. */
  startWith(input: SyncEventInput): Promise<{ workflowId: string }>
  /** Waits until everything is delivered or discarded, and reads the last run's history. */
  finished(event: { workflowId: string }): Promise<History>
  /** The history as it stands, of the last run unless another is named. */
  history(event: { workflowId: string; runId?: string }): Promise<History>
}

/**
 * Opens a stage. In simulated time a wait of minutes takes none, on an older kind of server that never
 * suggests to continue as new.
 */
export type OpenStage = (time: 'real' | 'simulated') => Promise<Stage>

/** The paths through the workflow, by the names of their recordings. */
export const scenarios: Record<string, (open: OpenStage) => Promise<History>> = {
  'delivered-at-once': async (open) => {
    const stage = await open('real')
    await stage.register('EMS-Scheduler')
    return stage.finished(await stage.emit())
  },
  'delivered-after-retries': async (open) => {
    const stage = await open('real')
    await stage.register('EMS-Scheduler', 503, 503, 200)
    return stage.finished(await stage.emit())
  },
  'delivered-after-misconfigured': async (open) => {
    const stage = await open('simulated')
    await stage.register('EMS-Scheduler', 401, 302, 200)
    return stage.finished(await stage.emit())
  },
  'delivered-after-rejected': async (open) => {
    const stage = await open('simulated')
    await stage.register('EMS-Scheduler', 422, 200)
    return stage.finished(await stage.emit())
  },
  'discarded-endpoint-removed': async (open) => {
    const stage = await open('real')
    const receiver = await stage.register('EMS-Scheduler', 503)
    const event = await stage.emit()
    await receiver.waitForRequests(1)
    await stage.syncService.removeEndpoint('EMS-Scheduler')
    return stage.finished(event)
  },
  'no-endpoint': async (open) => {
    const stage = await open('real')
    return stage.finished(await stage.emit())
  },
  'several-endpoints': async (open) => {
    const stage = await open('real')
    await stage.register('Dispatch-911', (_, response) => void response.destroy(), 200)
    await stage.register('EMS-Scheduler', 503, 200)
    await stage.register('Hospital')
    return stage.finished(await stage.emit())
  },
  'open-attempting': async (open) => {
    const stage = await open('real')
    const receiver = await stage.register('EMS-Scheduler', 503)
    const event = await stage.emit()
    await receiver.waitForRequests(2)
    return stage.history(event)
  },
  'open-waiting': async (open) => {
    const stage = await open('real')
    return stage.history(await emitToWaitingAndAttempting(stage))
  },
  'split-into-parts': async (open) => {
    const stage = await open('real')
    return stage.finished(await emitToTooMany(stage))
  },
  'part-of-an-event': async (open) => {
    const stage = await open('real')
    const { workflowId } = await emitToTooMany(stage)
    await stage.finished({ workflowId })
    return stage.finished({ workflowId: `${workflowId}/1` })
  },
  'cancelled-by-operator': async (open) => {
    const stage = await open('real')
    const event = await emitToWaitingAndAttempting(stage)
    const handle = stage.client.workflow.getHandle(event.workflowId)
    await handle.cancel()
    await handle.result().catch(() => undefined)
    return stage.history(event)
  },
  'released-by-update': async (open) => {
    const stage = await open('real')
    await stage.register('EMS-Scheduler', 401, 200)
    const event = await stage.emit()
    await untilWaiting(stage, event)
    await stage.syncService.updateEndpoint('EMS-Scheduler', { authToken: 'Bearer right' })
    return stage.finished(event)
  },
  'paused-and-resumed': async (open) => {
    const stage = await open('real')
    await stage.register('EMS-Scheduler')
    await stage.syncService.pauseEndpoint('EMS-Scheduler')
    const event = await stage.emit()
    await untilWaiting(stage, event)
    await stage.syncService.resumeEndpoint('EMS-Scheduler')
    return stage.finished(event)
  },
  'retried-by-operator': async (open) => {
    const stage = await open('real')
    const receiver = await stage.register('EMS-Scheduler', 503, 503, 200)
    const event = await stage.emit()
    await receiver.waitForRequests(2)
    await stage.syncService.retryDelivery(...identityOf(event), 'EMS-Scheduler')
    return stage.finished(event)
  },
  'discarded-by-operator': async (open) => {
    const stage = await open('real')
    await stage.register('EMS-Scheduler', 422)
    const event = await stage.emit()
    await untilWaiting(stage, event)
    await stage.syncService.discardDelivery(...identityOf(event), 'EMS-Scheduler', 'sent by fax')
    return stage.finished(event)
  },
  'open-waiting-as-down': async (open) => {
    const stage = await open('real')
    return stage.history((await emitWhileDown(stage)).event)
  },
  'released-by-recovery': async (open) => {
    const stage = await open('real')
    const { event, receiver } = await emitWhileDown(stage)
    receiver.respondWith(200)
    await emitOther(stage)
    return stage.finished(event)
  },
  'woken-by-timer-while-down': async (open) => {
    const stage = await open('real')
    const { event, receiver } = await emitWhileDown(stage, { slowIntervalMs: 5_000 })
    await untilAttempts(stage, event, 1)
    receiver.respondWith(200)
    return stage.finished(event)
  },
  'asked-to-wait': async (open) => {
    const stage = await open('simulated')
    await stage.register(
      'EMS-Scheduler',
      (_, response) => void response.writeHead(503, { 'retry-after': '900' }).end(),
      200,
    )
    return stage.finished(await stage.emit())
  },
  'group-delivered-at-once': async (open) => {
    const stage = await open('real')
    await stage.register('EMS-Scheduler')
    await stage.register('Hospital')
    const { group } = await stage.emitGroup()
    return stage.finished(group)
  },
  'group-with-unfinished': async (open) => {
    const stage = await open('real')
    await stage.register('EMS-Scheduler', 503, 200)
    await stage.register('Hospital', 200, 422, 200)
    const { group } = await stage.emitGroup()
    return stage.finished(group)
  },
  'begun-by-group': async (open) => {
    const stage = await open('real')
    await stage.register('Dispatch-911')
    const repaired = await stage.register('EMS-Scheduler', 401)
    const failing = await stage.register('Hospital', 503)
    const { group, own } = await stage.emitGroup()
    await stage.finished(group)
    await untilWaiting(stage, own)
    repaired.respondWith(200)
    await stage.syncService.updateEndpoint('EMS-Scheduler', { authToken: 'Bearer right' })
    failing.respondWith(200)
    return stage.finished(own)
  },
  'continued-as-new-first-run': async (open) => continueAsNew(await open('real')),
  'continued-as-new-last-run': async (open) => {
    const carried = carriedInput(await continueAsNew(await open('real')))
    const stage = await open('simulated')
    await stage.register('EMS-Scheduler', 401, 200)
    await stage.register('Hospital', 503, 200)
    return stage.finished(await stage.startWith(carried))
  },
  'replay-completed': async (open) => {
    const stage = await open('real')
    return stage.finished(await replayTo(stage))
  },
  'replay-paused-and-resumed': async (open) => {
    const stage = await open('real')
    const replay = await replayTo(stage)
    const { runId } = await stage.client.workflow.getHandle(replay.workflowId).describe()
    await stage.syncService.pauseReplay(replay.id)
    await untilReplay(stage, replay, ({ status, total }) => status === 'paused' && total !== undefined)
    await stage.syncService.resumeReplay(replay.id)
    await untilReplay(stage, replay, ({ sent }) => sent === 3)
    return stage.history({ workflowId: replay.workflowId, runId })
  },
  'replay-going-on': async (open) => {
    const stage = await open('real')
    const replay = await replayTo(stage, 200, 422, 200)
    await untilReplay(stage, replay, ({ sent, waiting }) => sent === 3 && waiting === 1)
    await stage.syncService.updateEndpoint('EMS-Scheduler', { authToken: 'Bearer right' })
    return stage.finished(replay)
  },
  'replay-cancelled': async (open) => {
    const stage = await open('real')
    const replay = await replayTo(stage, 422)
    await untilReplay(stage, replay, ({ waiting }) => waiting > 0)
    await stage.syncService.cancelReplay(replay.id)
    await untilReplay(stage, replay, ({ status }) => status === 'cancelled')
    return stage.history(replay)
  },
  'replay-endpoint-removed': async (open) => {
    const stage = await open('real')
    const replay = await replayTo(stage)
    await stage.syncService.removeEndpoint('EMS-Scheduler')
    await untilReplay(stage, replay, ({ status }) => status === 'failed')
    return stage.history(replay)
  },
  'replay-continued-as-new-first-run': async (open) => (await replayInTwoRuns(await open('real'))).first,
  'replay-continued-as-new-last-run': async (open) => (await replayInTwoRuns(await open('real'))).last,
}

/** Starts a replay of three past events to an endpoint that is new. */
async function replayTo(stage: Stage, ...responses: Respond[]): Promise<Replayed> {
  const { group } = await stage.emitGroup()
  await stage.finished(group)
  const receiver = await stage.register('EMS-Scheduler', ...responses)
  const since = new Date(Date.now() - 60_000)
  const { id } = await stage.syncService.startReplay({ endpoint: 'EMS-Scheduler', since, perSecond: 2 })
  return { id, workflowId: replayWorkflowIdOf(id), receiver }
}

/** Its endpoint is paused until the replay has looked again so often that it continues as new. */
async function replayInTwoRuns(stage: Stage): Promise<{ first: History; last: History }> {
  const replay = await replayTo(stage)
  const { runId } = await stage.client.workflow.getHandle(replay.workflowId).describe()
  await stage.syncService.pauseEndpoint('EMS-Scheduler')
  const firstRun = stage.client.workflow.getHandle(replay.workflowId, runId, { followRuns: false })
  await firstRun.result().catch(() => undefined)
  await stage.syncService.resumeEndpoint('EMS-Scheduler')
  const last = await stage.finished(replay)
  return { first: await stage.history({ workflowId: replay.workflowId, runId }), last }
}

interface Replayed {
  id: string
  workflowId: string
  receiver: Receiver
}

async function untilReplay(
  { syncService }: Stage,
  { id }: Replayed,
  is: (replay: Replay) => boolean,
): Promise<void> {
  while (!is(await syncService.getReplay(id))) await sleep(100)
}

function identityOf({ workflowId }: { workflowId: string }): [type: string, id: string] {
  const [type = '', id = ''] = workflowId.split('/')
  return [type, id]
}

async function untilWaiting(stage: Stage, event: { workflowId: string }): Promise<void> {
  for (;;) {
    const deliveries = await stage.deliveries(event)
    if (deliveries.some(({ state }) => state === 'waiting')) return
    await sleep(100)
  }
}

/** Emits other events to an endpoint until it is seen to be down, and then the event, which waits at once. */
async function emitWhileDown(
  stage: Stage,
  retry: EndpointSettings['retry'] = {},
): Promise<{ event: { workflowId: string }; receiver: Receiver }> {
  const receiver = await stage.register('EMS-Scheduler', 503)
  await stage.syncService.updateEndpoint('EMS-Scheduler', { retry })
  const others = await Promise.all([1, 2, 3].map(() => emitOther(stage)))
  await Promise.race(others.map((other) => untilWaiting(stage, other)))
  // One of them may be the next attempt.
  await emitOther(stage)
  const event = await stage.emit()
  await untilWaiting(stage, event)
  return { event, receiver }
}

function emitOther({ syncService }: Stage): Promise<{ workflowId: string }> {
  return syncService.emit('policy.approved', {})
}

async function untilAttempts(stage: Stage, event: { workflowId: string }, count: number): Promise<void> {
  while ((await stage.deliveries(event)).some(({ attempts }) => attempts < count)) await sleep(100)
}

/** Emits to an endpoint on which the event then waits, and to one that is between two attempts. */
async function emitToWaitingAndAttempting(stage: Stage): Promise<{ workflowId: string }> {
  await stage.register('EMS-Scheduler', 401)
  const failing = await stage.register('Hospital', 503)
  const event = await stage.emit()
  await failing.waitForRequests(2)
  await untilWaiting(stage, event)
  return event
}

/**
 * One delivery waits and one is between two attempts while so many others end that the workflow continues as
 * new.
 * @returns the history of the first run
 */
async function continueAsNew(stage: Stage): Promise<History> {
  let letOthersEnd: (() => void) | undefined
  const othersMayEnd = new Promise<void>((resolve) => (letOthersEnd = resolve))
  for (let index = 0; index < MANY; index += 1) {
    await stage.register(`School-${index}`, async (_, response) => {
      await othersMayEnd
      response.writeHead(200).end()
    })
  }
  const { workflowId } = await emitToWaitingAndAttempting(stage)
  const { runId } = await stage.client.workflow.getHandle(workflowId).describe()
  letOthersEnd?.()
  const firstRun = stage.client.workflow.getHandle(workflowId, runId, { followRuns: false })
  await firstRun.result().catch(() => undefined)
  return stage.history({ workflowId, runId })
}

function carriedInput(history: History): SyncEventInput {
  const [payload] =
    history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.input?.payloads ?? []
  if (payload === undefined) throw new Error('the workflow ended without continuing as new')
  return defaultPayloadConverter.fromPayload(payload)
}

/** To more endpoints than one workflow takes. */
async function emitToTooMany(stage: Stage): Promise<{ workflowId: string }> {
  for (let index = 0; index <= 100; index += 1) await stage.register(`Clinic-${index}`)
  return stage.emit()
}
