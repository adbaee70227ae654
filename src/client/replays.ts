import {
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
} from '@temporalio/client'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { InvalidInputError, SyncError } from '../domain/errors.js'
import { timeSchema } from '../domain/event.js'
import { endpointNameSchema, filterSchema } from '../domain/parse-endpoint.js'
import { parseInput, showValue } from '../domain/parse-input.js'
import {
  DEFAULT_EVENTS_PER_SECOND,
  REPLAY_STATES,
  replayWorkflowIdOf,
  type ReplayRecord,
  type ReplayState,
} from '../domain/replay.js'
import { replaysQuery } from '../domain/search-attributes.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { readRetentionDays } from '../temporal/setup-namespace.js'
import {
  pauseReplaySignal,
  REPLAY_EVENTS_WORKFLOW,
  resumeReplaySignal,
  type ReplayEventsInput,
  type ReplayMemo,
} from '../workflows/messages.js'
import { endpointNotFound } from './endpoint-registry.js'

const REPLAY_ID = /^[0-9a-f-]{36}$/

/** By Temporal's; any other is an end from outside. */
const STATUSES: { [Name in WorkflowExecutionInfo['status']['name']]?: ReplayStatus } = {
  RUNNING: 'running',
  CONTINUED_AS_NEW: 'running',
  PAUSED: 'paused',
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
}

const DAY_MS = 24 * 60 * 60_000

/** Replays that are listed at most. */
const MAX_LISTED = 1_000

/** Which past events are sent again, to which endpoint. */
export interface ReplayOptions {
  /** The name of a registered endpoint. It gets what it is subscribed to, and nothing else. */
  endpoint: string
  /** Events that were accepted then or later: a `Date`, or an RFC 3339 timestamp with an offset. */
  since: Date | string
  /** Events that were accepted before then. @default now */
  until?: Date | string
  /** An event type, or `policy.*` for all that begin so. @default all */
  type?: string
  /** Only events whose own delivery to the endpoint is in this state. @default all, those on their way included */
  state?: ReplayState
  /** Events that are sent in a second at most, from 0.1 to 1000. @default 100, or what the endpoint is limited to */
  perSecond?: number
}

/** Options that were checked. */
export type CheckedReplay = z.infer<typeof replayOptionsSchema>

/**
 * What a replay is doing. `failed`: the endpoint was removed, or the replay was terminated in Temporal.
 */
export type ReplayStatus = 'running' | 'paused' | 'completed' | 'cancelled' | 'failed'

/** A replay, and how far it is. `sent - waiting - discarded` is what the endpoint has taken. */
export interface Replay extends Omit<ReplayRecord, 'isPaused' | 'startedAt' | 'until'> {
  status: ReplayStatus
  until: string
  /** RFC 3339. */
  startedAt: string
  /** When it was over, RFC 3339. */
  endedAt?: string
}

interface ReplayParts {
  client: Client
  store: Pick<EndpointStore, 'get'>
  taskQueue: string
}

/** What {@link ReplayOptions} are. */
export const replayOptionsSchema = z.strictObject(
  {
    endpoint: endpointNameSchema,
    since: timeSchema,
    until: timeSchema.optional(),
    type: filterSchema.optional(),
    state: z.enum(REPLAY_STATES, `one of ${REPLAY_STATES.join(', ')}`).optional(),
    perSecond: z
      .number('a number')
      .min(0.1, 'at least 0.1')
      .max(1_000, 'at most 1000')
      .default(DEFAULT_EVENTS_PER_SECOND),
  },
  'an object of endpoint, since and the options until, type, state and perSecond',
)

/** @throws {InvalidInputError} */
export function parseReplayOptions(options: ReplayOptions): CheckedReplay {
  const parsed = parseInput(replayOptionsSchema, options, { subject: 'startReplay' })
  const { since, until } = parsed
  if (since >= (until ?? new Date().toISOString())) {
    const accepted = until === undefined ? 'a time in the past' : `a time before until, which is ${until}`
    throw new InvalidInputError('startReplay', [{ field: 'since', value: since, accepted }])
  }
  return parsed
}

export async function startReplay(
  { client, store, taskQueue }: ReplayParts,
  { endpoint, since, until, type, state, perSecond }: CheckedReplay,
): Promise<Replay> {
  if ((await store.get(endpoint)) === undefined) endpointNotFound(endpoint)
  const replay: ReplayRecord = {
    id: uuidv7(),
    endpoint,
    since,
    ...(until !== undefined && { until }),
    ...(type !== undefined && { type }),
    ...(state !== undefined && { state }),
    perSecond,
    reachesBackTo: await reachOf(client, since),
    isPaused: false,
    sent: 0,
    wentOn: 0,
    waiting: 0,
    discarded: 0,
    skipped: 0,
    missing: 0,
  }
  const memo: ReplayMemo = { replay }
  const handle = await client.workflow.start(REPLAY_EVENTS_WORKFLOW, {
    workflowId: replayWorkflowIdOf(replay.id),
    taskQueue,
    args: [{ replay } satisfies ReplayEventsInput],
    memo: { ...memo },
    staticSummary: `replay to ${endpoint}`,
  })
  return toReplay(await handle.describe())
}

/** @throws {SyncError} `REPLAY_NOT_FOUND` */
export async function getReplay({ client }: Pick<ReplayParts, 'client'>, id: string): Promise<Replay> {
  const { replay } = await find(client, id)
  return replay
}

/** The replays that Temporal still knows, the latest first. */
export async function listReplays({
  client,
  taskQueue,
}: Pick<ReplayParts, 'client' | 'taskQueue'>): Promise<Replay[]> {
  const replays: Replay[] = []
  for await (const execution of client.workflow.list({ query: replaysQuery(taskQueue) })) {
    replays.push(toReplay(execution))
    if (replays.length === MAX_LISTED) break
  }
  return replays.toSorted((one, other) => (one.startedAt < other.startedAt ? 1 : -1))
}

/** @throws {SyncError} `REPLAY_NOT_FOUND` */
export function pauseReplay(parts: Pick<ReplayParts, 'client'>, id: string): Promise<void> {
  return unlessEnded(parts, id, (handle) => handle.signal(pauseReplaySignal))
}

/** @throws {SyncError} `REPLAY_NOT_FOUND` */
export function resumeReplay(parts: Pick<ReplayParts, 'client'>, id: string): Promise<void> {
  return unlessEnded(parts, id, (handle) => handle.signal(resumeReplaySignal))
}

/** @throws {SyncError} `REPLAY_NOT_FOUND` */
export function cancelReplay(parts: Pick<ReplayParts, 'client'>, id: string): Promise<void> {
  return unlessEnded(parts, id, async (handle) => void (await handle.cancel()))
}

/** From when on Temporal has everything: it keeps what has ended for the namespace's retention. */
async function reachOf(client: Client, since: string): Promise<string> {
  const { namespace } = client.options
  const days = await readRetentionDays(client, { namespace, address: 'Temporal' })
  const oldest = days === undefined ? since : new Date(Date.now() - days * DAY_MS).toISOString()
  return oldest > since ? oldest : since
}

async function unlessEnded(
  { client }: Pick<ReplayParts, 'client'>,
  id: string,
  tell: (handle: WorkflowHandle) => Promise<void>,
): Promise<void> {
  const { handle, replay } = await find(client, id)
  if (replay.endedAt !== undefined) return
  try {
    await tell(handle)
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof WorkflowNotFoundError)) throw error
  }
}

async function find(client: Client, id: string): Promise<{ handle: WorkflowHandle; replay: Replay }> {
  const handle = client.workflow.getHandle(replayWorkflowIdOf(id))
  // What a replay has sent is no replay.
  if (!REPLAY_ID.test(id)) throw replayNotFound(id)
  try {
    return { handle, replay: toReplay(await handle.describe()) }
  } catch (cause) {
    throw cause instanceof WorkflowNotFoundError ? replayNotFound(id, cause) : cause
  }
}

function replayNotFound(id: string, cause?: unknown): SyncError {
  return new SyncError(
    'REPLAY_NOT_FOUND',
    `replay ${showValue(id)} is not known: it was not started, or Temporal has forgotten it`,
    { cause },
  )
}

function toReplay({
  status,
  startTime,
  closeTime,
  memo,
}: Pick<WorkflowExecutionInfo, 'status' | 'startTime' | 'closeTime' | 'memo'>): Replay {
  const {
    isPaused,
    startedAt = startTime.toISOString(),
    until = startedAt,
    ...replay
  } = (memo as unknown as ReplayMemo).replay
  return {
    ...replay,
    until,
    startedAt,
    status: statusOf(status, isPaused),
    ...(closeTime !== undefined && { endedAt: closeTime.toISOString() }),
  }
}

function statusOf({ name }: WorkflowExecutionInfo['status'], isPaused: boolean): ReplayStatus {
  const status = STATUSES[name] ?? 'failed'
  return status === 'running' && isPaused ? 'paused' : status
}
