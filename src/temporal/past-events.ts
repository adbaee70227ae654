import type { Client } from '@temporalio/client'
import { defaultPayloadConverter } from '@temporalio/common'
import { requiredTsToDate } from '@temporalio/common/lib/time.js'
import type { SyncEvent } from '../domain/event.js'
import type { ReplayCursor } from '../domain/replay.js'
import { pastEventsQuery, type PastEventsRange } from '../domain/search-attributes.js'
import { SYNC_GROUP_WORKFLOW, type SyncEventInput, type SyncGroupInput } from '../workflows/messages.js'
import { failedWith } from './grpc-status.js'
import { readStartInput } from './start-input.js'

const WINDOW_SIZE = 500

/** Histories that are read at the same time. */
const CONCURRENCY = 20

/** Where past events are looked for, and which. */
export interface PastEventsSearch extends PastEventsRange {
  client: Client
  taskQueue: string
  /** What was looked at last. @default nothing */
  after?: ReplayCursor | undefined
  /** Whether events of a type are wanted; of one that has a workflow of its own and is not, no history is read. */
  wantsType: (type: string) => boolean
  /** Workflows that are listed at once: one page, so that none is missed between two. @default 500 */
  windowSize?: number
}

/** What comes next in the past, and how far that is. */
export type Found = { cursor: ReplayCursor } & (
  | { kind: 'event'; event: SyncEvent; groupId?: string }
  | { kind: 'unwanted' }
  /** What Temporal has forgotten since it was listed. */
  | { kind: 'missing'; count: number }
)

interface Listed extends Pick<ReplayCursor, 'startedAt' | 'runId'> {
  workflowId: string
  isGroup: boolean
  /** How many events it has. */
  count: number
}

/**
 * The events that were accepted in a time, in that order. After a cursor it goes on with what follows, whatever has
 * ended meanwhile: Temporal lists by when workflows end, so this goes by when they were started, in windows that fit
 * a page.
 */
export async function* pastEvents(search: PastEventsSearch): AsyncGenerator<Found> {
  for await (const { listed, spanMs } of windows(search)) {
    let reading = readSome(search, listed.slice(0, CONCURRENCY), spanMs)
    for (let next = CONCURRENCY; next < listed.length + CONCURRENCY; next += CONCURRENCY) {
      const found = await reading
      reading = readSome(search, listed.slice(next, next + CONCURRENCY), spanMs)
      // It is awaited later, or not at all where nobody asks for more.
      reading.catch(() => undefined)
      yield* found
    }
  }
}

/** How many events `pastEvents` finds, wanted or not. */
export async function countPastEvents(
  client: Client,
  taskQueue: string,
  range: PastEventsRange,
): Promise<number> {
  const { namespace } = client.options
  // What has continued as new is one event, and the same one.
  const since = new Date(beginMs(range.since)).toISOString()
  const query = `${pastEventsQuery(taskQueue, { ...range, since })} AND ExecutionStatus != "ContinuedAsNew"`
  const { count } = await client.workflowService.countWorkflowExecutions({
    namespace,
    query: `${query} AND WorkflowType = "syncEvent"`,
  })
  let total = Number(count)
  for await (const group of list(client, `${query} AND WorkflowType = "syncGroup"`, 1_000))
    total += group.count
  return total
}

async function* windows({
  client,
  taskQueue,
  since,
  until,
  after,
  windowSize = WINDOW_SIZE,
}: PastEventsSearch): AsyncGenerator<{ listed: Listed[]; spanMs: number }> {
  const endMs = Date.parse(until)
  let fromMs = beginMs(after?.startedAt ?? since)
  let spanMs = after?.spanMs ?? endMs - fromMs
  while (fromMs < endMs) {
    const toMs = Math.min(endMs, fromMs + spanMs)
    const range = { since: new Date(fromMs).toISOString(), until: new Date(toMs).toISOString() }
    const listed: Listed[] = []
    for await (const workflow of list(client, pastEventsQuery(taskQueue, range), windowSize + 1)) {
      if (listed.push(workflow) > windowSize && toMs - fromMs > 1) break
    }
    if (listed.length > windowSize && toMs - fromMs > 1) {
      spanMs = Math.ceil((toMs - fromMs) / 2)
      continue
    }
    const inOrder = listed
      .toSorted(byStart)
      .filter((workflow) => after === undefined || isAfter(workflow, after))
    yield { listed: inOrder, spanMs }
    fromMs = toMs
    if (listed.length < windowSize / 2) spanMs *= 2
  }
}

/** Servers take no time before 1970. */
function beginMs(since: string): number {
  return Math.max(0, Date.parse(since))
}

async function* list(client: Client, query: string, pageSize: number): AsyncGenerator<Listed> {
  const { namespace } = client.options
  let nextPageToken: Uint8Array = new Uint8Array()
  do {
    const page = await client.workflowService.listWorkflowExecutions({
      namespace,
      query,
      pageSize,
      nextPageToken,
    })
    for (const { execution, type, startTime, searchAttributes } of page.executions) {
      const tokens = searchAttributes?.indexedFields?.['SyncGroupEvents']
      yield {
        workflowId: execution?.workflowId ?? '',
        runId: execution?.runId ?? '',
        isGroup: type?.name === SYNC_GROUP_WORKFLOW,
        startedAt: requiredTsToDate(startTime, 'startTime').toISOString(),
        count: tokens ? defaultPayloadConverter.fromPayload<unknown[]>(tokens).length : 1,
      }
    }
    nextPageToken = page.nextPageToken
  } while (nextPageToken.length > 0)
}

function byStart(one: Listed, other: Listed): number {
  if (one.startedAt !== other.startedAt) return one.startedAt < other.startedAt ? -1 : 1
  return one.runId < other.runId ? -1 : 1
}

/** Whether it was not looked at yet, or not at all its events. */
function isAfter(workflow: Listed, { startedAt, runId, events }: ReplayCursor): boolean {
  if (workflow.runId === runId) return events !== undefined
  return workflow.startedAt > startedAt || (workflow.startedAt === startedAt && workflow.runId > runId)
}

async function readSome(
  search: PastEventsSearch,
  listed: readonly Listed[],
  spanMs: number,
): Promise<Found[]> {
  const found = await Promise.all(listed.map((workflow) => read(search, workflow, spanMs)))
  return found.flat()
}

async function read(
  { client, after, wantsType }: PastEventsSearch,
  { workflowId, runId, isGroup, startedAt, count }: Listed,
  spanMs: number,
): Promise<Found[]> {
  const cursor: ReplayCursor = { startedAt, runId, spanMs }
  const [type = ''] = workflowId.split('/')
  if (!isGroup && !wantsType(type)) return [{ kind: 'unwanted', cursor }]
  let input: SyncEventInput | SyncGroupInput
  try {
    input = await readStartInput(client, { workflowId, runId })
  } catch (error) {
    if (!failedWith(error, 'NOT_FOUND')) throw error
    return [{ kind: 'missing', count, cursor }]
  }
  if ('event' in input) {
    // It goes on from a run that is in the past as well.
    return input.deliveries === undefined ? [{ kind: 'event', event: input.event, cursor }] : []
  }
  const { events } = input
  const found = events.map((event, index): Found => {
    const isLast = index === events.length - 1
    const at = isLast ? cursor : { ...cursor, events: index + 1 }
    if (!wantsType(event.type)) return { kind: 'unwanted', cursor: at }
    return { kind: 'event', event, groupId: workflowId, cursor: at }
  })
  return after?.runId === runId ? found.slice(after.events) : found
}
