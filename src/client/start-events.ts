import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandleWithStartDetails,
} from '@temporalio/client'
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common'
import { v7 as uuidv7 } from 'uuid'
import { DATA_HASH, hashOf } from '../domain/data-hash.js'
import { EventConflictError, SyncError } from '../domain/errors.js'
import type { SyncEvent } from '../domain/event.js'
import { groupTokenOf } from '../domain/group-token.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { canStartEagerly } from '../temporal/eager-start.js'
import { grpcStatus } from '../temporal/grpc-status.js'
import { eventStartOptions } from '../workflows/event-start-options.js'
import {
  SYNC_EVENT_WORKFLOW,
  SYNC_GROUP_WORKFLOW,
  type SyncEventInput,
  type SyncGroupInput,
} from '../workflows/messages.js'

/** How long Temporal has to accept an event, retries included, in milliseconds. */
const ACCEPT_TIMEOUT_MS = 30_000

const groupEvents = defineSearchAttributeKey('SyncGroupEvents', 'KEYWORD_LIST')

/** Says that an event is accepted. */
export interface Receipt {
  eventId: string
  /** Where it is seen in the Temporal UI. */
  workflowId: string
  /** Whether the same event had been accepted before; absent where a group of events took it, which is not known. */
  duplicate?: boolean
}

/** Receipts, and whether the worker of this process has got the workflow. */
export interface Started {
  receipts: Receipt[]
  isEager: boolean
  /** Of the workflow, where this call has started it. */
  runId?: string
}

/**
 * Starts the event's workflow, or finds that it was started before.
 * @throws {EventConflictError} when it was, with other data; else what {@link notAccepted} describes
 */
export async function startEvent(client: Client, taskQueue: string, input: SyncEventInput): Promise<Started> {
  const { event } = input
  const workflowId = workflowIdOf(event)
  const started = await client.withDeadline(Date.now() + ACCEPT_TIMEOUT_MS, () =>
    startOnce(client, taskQueue, input),
  )
  const receipt = { eventId: event.id, workflowId, duplicate: started === undefined }
  if (started === undefined) return { receipts: [receipt], isEager: false }
  return { receipts: [receipt], isEager: started.eagerlyStarted, runId: started.firstExecutionRunId }
}

/** Starts one workflow for a group of events, or throws what {@link notAccepted} describes. */
export async function startGroup(client: Client, taskQueue: string, input: SyncGroupInput): Promise<Started> {
  const { events } = input
  // No event's workflow has this id: the prefix is reserved.
  const workflowId = `external-sync.group/${uuidv7()}`
  const tokens = events.map(groupTokenOf)
  const { eagerlyStarted } = await client.withDeadline(Date.now() + ACCEPT_TIMEOUT_MS, () =>
    client.workflow.start(SYNC_GROUP_WORKFLOW, {
      workflowId,
      taskQueue,
      args: [input],
      staticSummary: `${events.length} events`,
      typedSearchAttributes: new TypedSearchAttributes([{ key: groupEvents, value: tokens }]),
      requestEagerStart: canStartEagerly(client),
    }),
  )
  const receipts = events.map(({ id }) => ({ eventId: id, workflowId }))
  return { receipts, isEager: eagerlyStarted }
}

/** Temporal did not accept an event, whether alone or in a group; emitting it again is harmless. */
export function notAccepted(event: SyncEvent, cause: unknown): SyncError {
  return new SyncError(
    'EVENT_NOT_ACCEPTED',
    `Temporal did not accept event ${workflowIdOf(event)}: ${describe(cause)}; ` +
      `emit it again with the id "${event.id}", which is harmless if it was accepted after all`,
    { cause },
  )
}

/** @returns undefined where the same event had been accepted before */
async function startOnce(
  client: Client,
  taskQueue: string,
  input: SyncEventInput,
): Promise<WorkflowHandleWithStartDetails | undefined> {
  const { event } = input
  const dataHash = hashOf(event.data)
  const options = eventStartOptions(event, dataHash)
  try {
    return await client.workflow.start(SYNC_EVENT_WORKFLOW, {
      ...options,
      taskQueue,
      args: [{ ...input, firstAttempts: 'together' } satisfies SyncEventInput],
      requestEagerStart: canStartEagerly(client),
    })
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    const { memo } = await client.workflow.getHandle(options.workflowId).describe()
    if (memo?.[DATA_HASH] !== dataHash) throw new EventConflictError(event.type, event.id)
    return undefined
  }
}

function describe(error: unknown): string {
  if (error instanceof WorkflowNotFoundError) return 'it was there and is gone'
  return grpcStatus(error)?.details ?? (error instanceof Error ? error.message : String(error))
}
