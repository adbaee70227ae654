import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowFailedError, type Client } from '@temporalio/client'
import { newDelivery, type Delivery } from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { groupTokenOf } from '../domain/group-token.js'
import { groupQuery } from '../domain/search-attributes.js'
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

/**
 * Finds the group that took an event, by what this process remembers or by the group's search attribute.
 * @returns undefined where no group has it
 * @throws {SyncError} `NO_WORKER` where the group has not been attempted
 */
export async function findGrouped(
  { client, taskQueue, starts }: EventLookup,
  event: Pick<SyncEvent, 'type' | 'id'>,
): Promise<GroupedDeliveries | undefined> {
  const known = await starts.groupOf(event)
  if (known !== undefined) return readGroup(client, known, event)
  const query = groupQuery(groupTokenOf(event), taskQueue)
  for (const waitMs of [0, VISIBILITY_LAG_MS]) {
    await sleep(waitMs)
    for await (const { workflowId } of client.workflow.list({ query })) {
      const found = await readGroup(client, workflowId, event)
      if (found !== undefined) return found
    }
  }
  return undefined
}

async function readGroup(
  client: Client,
  workflowId: string,
  { type, id }: Pick<SyncEvent, 'type' | 'id'>,
): Promise<GroupedDeliveries | undefined> {
  const result = await resultOf(client, workflowId)
  const event = result?.events.find((grouped) => grouped.type === type && grouped.id === id)
  return result === undefined || event === undefined ? undefined : deliveriesOf(result, event)
}

async function resultOf(client: Client, workflowId: string): Promise<SyncGroupResult | undefined> {
  try {
    return await client.withDeadline(
      Date.now() + RESULT_TIMEOUT_MS,
      () => client.workflow.getHandle(workflowId).result() as Promise<SyncGroupResult>,
    )
  } catch (cause) {
    // An operator has ended it: nothing is known of its events.
    if (cause instanceof WorkflowFailedError) return undefined
    throw grpcStatus(cause) === undefined ? cause : noWorker(workflowId, cause)
  }
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
