import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js'
import { optionalTsToDate, requiredTsToDate } from '@temporalio/common/lib/time.js'
import type { temporal } from '@temporalio/proto'
import { z } from 'zod'
import { InvalidInputError } from '../domain/errors.js'
import { eventTypeSchema, timeSchema, type SyncEvent } from '../domain/event.js'
import { endpointNameSchema } from '../domain/parse-endpoint.js'
import { parseInput } from '../domain/parse-input.js'
import { eventsQuery } from '../domain/search-attributes.js'
import { eventOfWorkflow, isPart, workflowIdOf } from '../domain/workflow-id.js'
import { wholeNumberUpTo } from '../domain/whole-number.js'
import { failedWith } from '../temporal/grpc-status.js'
import { readStartInput } from '../temporal/start-input.js'
import type { SyncGroupInput, SyncGroupResult } from '../workflows/messages.js'
import { syncWaitingCount, syncWaitingOn } from '../workflows/waiting-attributes.js'

/** The statuses by which events can be asked for, and how Temporal's visibility spells them. */
const EXECUTION_STATUSES = {
  running: 'Running',
  completed: 'Completed',
  canceled: 'Canceled',
  terminated: 'Terminated',
  failed: 'Failed',
} as const

/** Temporal's numbers for them (temporal.api.enums.v1.WorkflowExecutionStatus). */
const STATUS_BY_CODE: readonly (EventStatus | undefined)[] = [
  undefined,
  'running',
  'completed',
  'failed',
  'canceled',
  'terminated',
]

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200

/**
 * Where an event stands, in Temporal's words: `running` until each delivery has ended, `completed` then; an operator
 * can end it early in Temporal, with `canceled` or `terminated`.
 */
export type EventStatus = keyof typeof EXECUTION_STATUSES

/** Which events to list. */
export interface ListEventsOptions {
  /** @default all types */
  type?: string
  /** The name of an endpoint for which a delivery waits. */
  waitingOn?: string
  /** @default any */
  status?: EventStatus
  /** Accepted then or later. @default as far back as Temporal keeps them */
  since?: Date | string
  /** Accepted before. @default now */
  until?: Date | string
  /** Events of a page, 200 at most. @default 50 */
  limit?: number
  /** `nextCursor` of the page before, asked for with the same options. @default the first page */
  cursor?: string
}

/** An event as Temporal's visibility knows it, which may be a second behind. */
export interface ListedEvent extends Pick<SyncEvent, 'type' | 'id'> {
  /** The workflow that has it: its own, a part of it, or a group's. */
  workflowId: string
  status: EventStatus
  /** When Temporal accepted it, or lately continued it as new; RFC 3339. */
  acceptedAt: string
  /** When its workflow ended; absent while it runs. */
  endedAt?: string
  /** How many of its deliveries wait. */
  waiting: number
  /** For which endpoints, as many as fit into a search attribute. */
  waitingOn: string[]
}

/** Some of the events, those that run first, then the latest that ended. */
export interface EventPage {
  events: ListedEvent[]
  /** Where the next page begins; absent on the last. */
  nextCursor?: string
}

/** How far a listing has come. */
interface Position {
  /** Temporal's token of a page of workflows, in base64, and how many it asks for. */
  token: string
  size: number
  /** The workflow in that page, and the event in that workflow, that come next. */
  workflow: number
  event: number
  /** What was accepted later than the first page is not listed. */
  until: string
}

type ExecutionInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo

const positionSchema = z.strictObject({
  token: z.base64(),
  size: z.int().min(1).max(MAX_LIMIT),
  workflow: z.int().min(0).max(MAX_LIMIT),
  event: z.int().min(0),
  until: timeSchema,
})

const optionsSchema = z.strictObject(
  {
    type: eventTypeSchema.optional(),
    waitingOn: endpointNameSchema.optional(),
    status: z
      .enum(
        Object.keys(EXECUTION_STATUSES) as EventStatus[],
        `one of ${Object.keys(EXECUTION_STATUSES).join(', ')}`,
      )
      .optional(),
    since: timeSchema.optional(),
    until: timeSchema.optional(),
    limit: wholeNumberUpTo(MAX_LIMIT).default(DEFAULT_LIMIT),
    cursor: z.string('a nextCursor').max(4_000, 'a nextCursor of the page before').optional(),
  },
  'an object of options',
)

const filterSchema = optionsSchema.omit({ limit: true, cursor: true })

/** Which events to count. */
export type CountEventsOptions = Omit<ListEventsOptions, 'limit' | 'cursor'>

/** Options that were checked. */
export type EventListing = z.infer<typeof optionsSchema>

/** @throws {InvalidInputError} */
export function parseListEventsOptions(options: ListEventsOptions): EventListing {
  return parseInput(optionsSchema, options, { subject: 'listEvents' })
}

/** @throws {InvalidInputError} */
export function parseCountEventsOptions(options: CountEventsOptions): z.infer<typeof filterSchema> {
  return parseInput(filterSchema, options, { subject: 'countEvents' })
}

/** Counts the workflows that have such events: a group counts as one, and so does each part of an event. */
export async function countEvents(
  { client, taskQueue }: { client: Client; taskQueue: string },
  { status, ...filter }: z.infer<typeof filterSchema>,
): Promise<number> {
  const executionStatus = status && EXECUTION_STATUSES[status]
  const { count } = await client.workflow.count(eventsQuery(taskQueue, { ...filter, executionStatus }))
  return count
}

/**
 * Lists events by Temporal's visibility, without an index of our own; those of a group by what the group says.
 * @param lookAt workflows that are looked at, where the page may have fewer events than it could. @default all
 */
export async function listEvents(
  { client, taskQueue }: { client: Client; taskQueue: string },
  { cursor, limit, status, ...filter }: EventListing,
  lookAt?: number,
): Promise<EventPage> {
  let position = cursor === undefined ? firstPosition(lookAt ?? limit, filter.until) : parseCursor(cursor)
  const query = eventsQuery(taskQueue, {
    ...filter,
    until: position.until,
    executionStatus: status && EXECUTION_STATUSES[status],
  })
  const listed = new Map<string, ListedEvent>()
  for (;;) {
    const { executions, nextPageToken } = await client.workflowService
      .listWorkflowExecutions({
        namespace: client.options.namespace,
        query,
        pageSize: position.size,
        nextPageToken: Buffer.from(position.token, 'base64'),
      })
      .catch((error: unknown) => {
        throw cursor !== undefined && failedWith(error, 'INVALID_ARGUMENT') ? cursorRefused() : error
      })
    for (const [index, execution] of (executions ?? []).entries()) {
      if (index < position.workflow) continue
      const events = await eventsOf(client, execution, filter)
      const from = index === position.workflow ? position.event : 0
      for (const [at, event] of events.entries()) {
        if (at < from || event === undefined) continue
        const key = workflowIdOf(event)
        if (listed.size >= limit && !listed.has(key)) {
          return page(listed, { ...position, workflow: index, event: at })
        }
        listed.set(key, merged(listed.get(key), event))
      }
    }
    const token = Buffer.from(nextPageToken ?? []).toString('base64')
    if (token === '') return page(listed)
    position = { ...position, token, workflow: 0, event: 0 }
    if (listed.size >= limit || lookAt !== undefined) return page(listed, position)
  }
}

function firstPosition(size: number, until = new Date().toISOString()): Position {
  return { token: '', size, workflow: 0, event: 0, until }
}

function page(listed: ReadonlyMap<string, ListedEvent>, next?: Position): EventPage {
  return {
    events: [...listed.values()],
    ...(next !== undefined && { nextCursor: Buffer.from(JSON.stringify(next)).toString('base64url') }),
  }
}

function parseCursor(cursor: string): Position {
  try {
    return positionSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch {
    throw cursorRefused()
  }
}

function cursorRefused(): InvalidInputError {
  const accepted = 'a nextCursor of the page before'
  return new InvalidInputError('listEvents', [{ field: 'cursor', accepted }])
}

/** The parts of an event are listed as one. */
function merged(one: ListedEvent | undefined, other: ListedEvent): ListedEvent {
  if (one === undefined) return other
  return {
    ...one,
    waiting: one.waiting + other.waiting,
    waitingOn: [...new Set([...one.waitingOn, ...other.waitingOn])],
  }
}

/** What a workflow says of each event in it; nothing of one for which another workflow speaks. */
async function eventsOf(
  client: Client,
  info: ExecutionInfo,
  { type, waitingOn }: Pick<EventListing, 'type' | 'waitingOn'>,
): Promise<(ListedEvent | undefined)[]> {
  const workflowId = info.execution?.workflowId ?? ''
  const status = STATUS_BY_CODE[info.status ?? 0] ?? 'failed'
  const attributes = decodeTypedSearchAttributes(info.searchAttributes?.indexedFields)
  const endedAt = optionalTsToDate(info.closeTime)?.toISOString()
  const common = {
    workflowId,
    status,
    acceptedAt: requiredTsToDate(info.startTime, 'startTime').toISOString(),
    ...(endedAt !== undefined && { endedAt }),
    waiting: attributes.get(syncWaitingCount) ?? 0,
    waitingOn: attributes.get(syncWaitingOn) ?? [],
  }
  const own = eventOfWorkflow(workflowId)
  if (own !== undefined) {
    // The event's own workflow speaks for its parts, unless one asks for what waits, which a part does itself.
    return isPart(workflowId) && waitingOn === undefined ? [] : [{ ...own, ...common }]
  }
  const grouped = await readGroup(client, { workflowId, runId: info.execution?.runId ?? '' }, status)
  return grouped.map((event) =>
    event.goesOn || (type !== undefined && event.type !== type)
      ? undefined
      : { type: event.type, id: event.id, ...common },
  )
}

/** The events of a group in their order, and whether another workflow speaks for them. */
async function readGroup(
  client: Client,
  execution: { workflowId: string; runId: string },
  status: EventStatus,
): Promise<(Pick<SyncEvent, 'type' | 'id'> & { goesOn: boolean })[]> {
  try {
    if (status !== 'completed') {
      const { events } = await readStartInput<SyncGroupInput>(client, execution)
      return events.map(({ type, id }) => ({ type, id, goesOn: false }))
    }
    const { workflowId, runId } = execution
    const result = (await client.workflow.getHandle(workflowId, runId).result()) as SyncGroupResult
    return result.events.map(({ type, id, statuses }) => ({ type, id, goesOn: statuses === undefined }))
  } catch (error) {
    // Temporal keeps it no longer; visibility lags.
    if (error instanceof WorkflowNotFoundError || failedWith(error, 'NOT_FOUND')) return []
    throw error
  }
}
