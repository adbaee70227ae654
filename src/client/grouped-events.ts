import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowFailedError, WorkflowNotFoundError, type Client } from '@temporalio/client'
import { newDelivery, type Delivery } from '../domain/delivery.js'
import { SyncError } from '../domain/errors.js'
import type { SyncEvent } from '../domain/event.js'
import { groupTokenOf } from '../domain/group-token.js'
import { groupQuery } from '../domain/search-attributes.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { grpcStatus } from '../temporal/grpc-status.js'
import type { GroupedEvent, SyncGroupResult } from '../workflows/messages.js'
import { noWorker } from './no-worker.js'
import type { StartQueue } from './start-queue.js'

/** How long the worker of a group that has just been accepted has to attempt it, in milliseconds. */
const RESULT_TIMEOUT_MS = 20_000

/** Visibility lags: a group that is not found may have been accepted just now. */
const VISIBILITY_LAG_MS = 1_000

/** Where events are looked for. */
export interface EventLookup {
  client: Client
  taskQueue: string
  starts: Pick<StartQueue, 'groupOf'>
}

/** What is known of an event that went in a group. */
export interface GroupedDeliveries {
  /** Where its deliveries stand; absent where they go on in a workflow of its own. */
  deliveries?: Delivery[]
}

/** What a group says of an event; one that was ended from outside says nothing of its events. */
type Found = GroupedDeliveries | 'cut short' | undefined

/**
 * Finds the group that took an event, by what this process remembers or by the group's search attribute.
 * @returns undefined where no group has it
 * @throws {SyncError} `NO_WORKER` where the group has not been attempted, `EVENT_NOT_FOUND` where it was cancelled or
 * terminated
 */
export async function findGrouped(
  { client, taskQueue, starts }: EventLookup,
  event: Pick<SyncEvent, 'type' | 'id'>,
): Promise<GroupedDeliveries | undefined> {
  let cutShort: string | undefined
  for await (const workflowId of groupsOf(event)) {
    const found = await readGroup(client, workflowId, event)
    if (found === 'cut short') cutShort ??= workflowId
    else if (found !== undefined) return found
  }
  if (cutShort !== undefined) throw groupCutShort(event, cutShort)
  return undefined

  async function* groupsOf({ type, id }: Pick<SyncEvent, 'type' | 'id'>): AsyncGenerator<string> {
    const known = await starts.groupOf({ type, id })
    if (known !== undefined) return yield known
    const query = groupQuery(groupTokenOf({ type, id }), taskQueue)
    for (const waitMs of [0, VISIBILITY_LAG_MS]) {
      await sleep(waitMs)
      for await (const { workflowId } of client.workflow.list({ query })) yield workflowId
    }
  }
}

async function readGroup(
  client: Client,
  workflowId: string,
  { type, id }: Pick<SyncEvent, 'type' | 'id'>,
): Promise<Found> {
  const result = await resultOf(client, workflowId)
  if (result === undefined || result === 'cut short') return result
  const event = result.events.find((grouped) => grouped.type === type && grouped.id === id)
  return event && deliveriesOf(result, event)
}

async function resultOf(
  client: Client,
  workflowId: string,
): Promise<SyncGroupResult | Exclude<Found, GroupedDeliveries>> {
  try {
    return await client.withDeadline(
      Date.now() + RESULT_TIMEOUT_MS,
      () => client.workflow.getHandle(workflowId).result() as Promise<SyncGroupResult>,
    )
  } catch (cause) {
    if (cause instanceof WorkflowFailedError) return 'cut short'
    // Temporal keeps it no longer.
    if (cause instanceof WorkflowNotFoundError) return undefined
    throw grpcStatus(cause) === undefined ? cause : noWorker(workflowId, cause)
  }
}

function groupCutShort(event: Pick<SyncEvent, 'type' | 'id'>, groupId: string): SyncError {
  return new SyncError(
    'EVENT_NOT_FOUND',
    `nothing is known of event ${workflowIdOf(event)}: it went in the group ${groupId}, which was cancelled or ` +
      'terminated in Temporal before its first attempts were over; emit it again with its id',
  )
}

/** What a group's result says of one of its events. */
export function deliveriesOf(
  { subscribers, attemptedAt }: SyncGroupResult,
  { type, statuses }: GroupedEvent,
): GroupedDeliveries {
  if (statuses === undefined) return {}
  const deliveries = (subscribers[type] ?? []).map((endpoint, index): Delivery => ({
    ...newDelivery(endpoint),
    state: 'delivered',
    attempts: 1,
    lastStatus: statuses[index] ?? statuses[0]!,
    endedAt: attemptedAt,
  }))
  return { deliveries }
}
