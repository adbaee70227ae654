import { setTimeout as sleep } from 'node:timers/promises'
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type WorkflowHandle,
} from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import type { Delivery } from '../domain/delivery.js'
import { SyncError, type SyncErrorCode } from '../domain/errors.js'
import type { SyncEvent } from '../domain/event.js'
import { endpointNameSchema } from '../domain/parse-endpoint.js'
import { replayedWaitingQuery } from '../domain/search-attributes.js'
import { eventOfWorkflow, workflowIdOf } from '../domain/workflow-id.js'
import { GRPC, grpcStatus } from '../temporal/grpc-status.js'
import { DELIVERY_IN_PART, discardDeliveryUpdate, retryDeliveryUpdate } from '../workflows/messages.js'
import { eventNotFound } from './event-deliveries.js'
import { findGrouped, type EventLookup } from './grouped-events.js'
import { noWorker } from './no-worker.js'

/** How long a worker has to carry out what an operator wants, in milliseconds. */
const UPDATE_TIMEOUT_MS = 30_000

/** How soon an update is asked again, in milliseconds. */
const RETRY_INTERVAL_MS = 100

const HAS_ENDED: readonly SyncErrorCode[] = ['DELIVERY_NOT_OPEN', 'EVENT_NOT_FOUND']

type EventIdentity = Pick<SyncEvent, 'type' | 'id'>

/**
 * Begins a new attempt at once.
 * @throws {SyncError} `DELIVERY_NOT_OPEN`, `EVENT_NOT_FOUND` or `NO_WORKER`
 */
export function retryDelivery(
  lookup: EventLookup,
  event: EventIdentity,
  endpoint: string,
): Promise<Delivery> {
  return onOwnOrReplayed(lookup, event, endpoint, (handle) =>
    handle.executeUpdate(retryDeliveryUpdate, { args: [{ endpoint }] }),
  )
}

/**
 * Gives a delivery up; the reason stays on record.
 * @throws {SyncError} `DELIVERY_NOT_OPEN`, `EVENT_NOT_FOUND` or `NO_WORKER`
 */
export function discardDelivery(
  lookup: EventLookup,
  event: EventIdentity,
  endpoint: string,
  reason: string,
): Promise<Delivery> {
  return onOwnOrReplayed(lookup, event, endpoint, (handle) =>
    handle.executeUpdate(discardDeliveryUpdate, { args: [{ endpoint, reason }] }),
  )
}

/** Where the event's own delivery has ended, those that wait as replays have sent it again. */
async function onOwnOrReplayed(
  lookup: EventLookup,
  event: EventIdentity,
  endpoint: string,
  update: (handle: WorkflowHandle) => Promise<Delivery>,
): Promise<Delivery> {
  try {
    return await onOpenDelivery(lookup, event, update)
  } catch (error) {
    if (!(error instanceof SyncError) || !HAS_ENDED.includes(error.code)) throw error
    if (!endpointNameSchema.safeParse(endpoint).success) throw error
    let delivery: Delivery | undefined
    const query = replayedWaitingQuery(endpoint, lookup.taskQueue)
    for await (const { workflowId } of lookup.client.workflow.list({ query })) {
      const replayed = eventOfWorkflow(workflowId)
      if (replayed?.type !== event.type || replayed.id !== event.id) continue
      delivery = await onOpenDelivery(lookup, event, update, workflowId)
    }
    if (delivery === undefined) throw error
    return delivery
  }
}

async function onOpenDelivery(
  lookup: EventLookup,
  event: EventIdentity,
  update: (handle: WorkflowHandle) => Promise<Delivery>,
  workflowId = workflowIdOf(event),
  isAgain = false,
): Promise<Delivery> {
  const { client } = lookup
  const handle = client.workflow.getHandle(workflowId)
  try {
    return await client.withDeadline(Date.now() + UPDATE_TIMEOUT_MS, () =>
      whenTaskSucceeds(() => update(handle)),
    )
  } catch (cause) {
    if (cause instanceof WorkflowUpdateFailedError) {
      const part = partOf(cause)
      if (part !== undefined) return onOpenDelivery(lookup, event, update, part)
      throw new SyncError('DELIVERY_NOT_OPEN', `event ${handle.workflowId}: ${cause.cause?.message}`, {
        cause,
      })
    }
    if (cause instanceof WorkflowUpdateRPCTimeoutOrCancelledError) throw noWorker(handle.workflowId, cause)
    if (!(cause instanceof WorkflowNotFoundError)) throw cause
    const refusal = await endedOrUnknown(lookup, event, handle, cause)
    // It went in a group, and has just got a workflow of its own.
    if (refusal === undefined && !isAgain) return onOpenDelivery(lookup, event, update, workflowId, true)
    throw refusal ?? eventNotFound(handle.workflowId, cause)
  }
}

/** The workflow that has the delivery, where the event has several. */
function partOf({ cause }: WorkflowUpdateFailedError): string | undefined {
  const refers = cause instanceof ApplicationFailure && cause.type === DELIVERY_IN_PART
  return refers ? (cause.details?.[0] as string) : undefined
}

/**
 * Something else happened to the event in the same moment, so that the server wants the workflow task again;
 * the update, which was not accepted, is not asked again by itself.
 */
async function whenTaskSucceeds<T>(update: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await update()
    } catch (error) {
      if (grpcStatus(error)?.code !== GRPC.FAILED_PRECONDITION) throw error
      await sleep(RETRY_INTERVAL_MS)
    }
  }
}

/** @returns undefined where there is a workflow that has not ended */
async function endedOrUnknown(
  lookup: EventLookup,
  event: EventIdentity,
  handle: WorkflowHandle,
  cause: unknown,
): Promise<SyncError | undefined> {
  const description = await handle.describe().catch(() => undefined)
  if (description?.status.name === 'RUNNING') return undefined
  if (description === undefined) {
    const grouped = await findGrouped(lookup, event)
    if (grouped === undefined) return eventNotFound(handle.workflowId, cause)
    if (grouped.deliveries === undefined) return undefined
  }
  return new SyncError('DELIVERY_NOT_OPEN', `event ${handle.workflowId}: all its deliveries have ended`, {
    cause,
  })
}
