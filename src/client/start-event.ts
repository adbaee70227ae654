import { createHash } from 'node:crypto'
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client'
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common'
import { stringify } from 'safe-stable-stringify'
import { EventConflictError, SyncError } from '../domain/errors.js'
import { workflowIdOf } from '../domain/event.js'
import type { Json } from '../domain/json.js'
import { canStartEagerly } from '../temporal/eager-start.js'
import { grpcStatus } from '../temporal/grpc-status.js'
import { SYNC_EVENT_WORKFLOW, type SyncEventInput } from '../workflows/messages.js'

/** How long Temporal has to accept an event, retries included, in milliseconds. */
const ACCEPT_TIMEOUT_MS = 30_000

/** Memo field that tells the same event from another one with its id. */
const DATA_HASH = 'dataHash'

const eventKey = defineSearchAttributeKey('SyncEventKey', 'KEYWORD')

/** Says that an event is accepted. */
export interface Receipt {
  eventId: string
  /** Where it is seen in the Temporal UI. */
  workflowId: string
  /** Whether the same event had been accepted before. */
  duplicate: boolean
}

/** A receipt, and whether the worker of this process has got the workflow. */
export interface StartedEvent extends Receipt {
  isEager: boolean
}

/**
 * Starts the event's workflow, or finds that it was started before.
 * @throws {EventConflictError} when it was, with other data
 * @throws {SyncError} `EVENT_NOT_ACCEPTED` when Temporal did not accept it; emitting it again is harmless
 */
export async function startEvent(
  client: Client,
  taskQueue: string,
  input: SyncEventInput,
): Promise<StartedEvent> {
  const { event } = input
  const workflowId = workflowIdOf(event)
  try {
    const started = await client.withDeadline(Date.now() + ACCEPT_TIMEOUT_MS, () =>
      startOnce(client, taskQueue, input),
    )
    return { eventId: event.id, workflowId, ...started }
  } catch (cause) {
    if (cause instanceof SyncError) throw cause
    throw new SyncError(
      'EVENT_NOT_ACCEPTED',
      `Temporal did not accept event ${workflowId}: ${describe(cause)}; emit it again with the id "${event.id}", ` +
        'which is harmless if it was accepted after all',
      { cause },
    )
  }
}

async function startOnce(
  client: Client,
  taskQueue: string,
  input: SyncEventInput,
): Promise<Pick<StartedEvent, 'duplicate' | 'isEager'>> {
  const { event } = input
  const workflowId = workflowIdOf(event)
  const dataHash = hashOf(event.data)
  try {
    const { eagerlyStarted } = await client.workflow.start(SYNC_EVENT_WORKFLOW, {
      workflowId,
      taskQueue,
      args: [{ ...input, firstAttempts: 'together' } satisfies SyncEventInput],
      requestEagerStart: canStartEagerly(client),
      // An event whose workflow was cancelled or terminated was not delivered: emitted again, it is.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      memo: { [DATA_HASH]: dataHash },
      staticSummary: event.key === undefined ? event.type : `${event.type} · ${event.key}`,
      ...(event.key !== undefined && {
        typedSearchAttributes: new TypedSearchAttributes([{ key: eventKey, value: event.key }]),
      }),
    })
    return { duplicate: false, isEager: eagerlyStarted }
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    const { memo } = await client.workflow.getHandle(workflowId).describe()
    if (memo?.[DATA_HASH] !== dataHash) throw new EventConflictError(event.type, event.id)
    return { duplicate: true, isEager: false }
  }
}

function hashOf(data: Json): string {
  return `sha256:${createHash('sha256').update(stringify(data)).digest('hex')}`
}

function describe(error: unknown): string {
  if (error instanceof WorkflowNotFoundError) return 'it was there and is gone'
  return grpcStatus(error)?.details ?? (error instanceof Error ? error.message : String(error))
}
