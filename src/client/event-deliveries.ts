import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client'
import { ApplicationFailure } from '@temporalio/common'
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { optionalTsToDate } from '@temporalio/common/lib/time.js'
import type { AttemptEvidence } from '../activities/retryable.js'
import type { Delivery } from '../domain/delivery.js'
import { SyncError } from '../domain/errors.js'
import { workflowIdOf, type SyncEvent } from '../domain/event.js'
import {
  deliveriesQuery,
  MAX_PAGE_SIZE,
  pageOf,
  type DeliveryPage,
  type SyncEventResult,
} from '../workflows/messages.js'

/** How long a worker has to answer, in milliseconds. */
const QUERY_TIMEOUT_MS = 10_000

/** Which part of the deliveries to return. */
export interface DeliveriesOptions {
  /** `nextCursor` of the page before. @default the first page */
  cursor?: string
  /** @default 1000, which is also the most */
  limit?: number
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]

/**
 * Where an event's deliveries stand: from the result of a workflow that has completed, else from its state
 * and, for the attempts that Temporal is retrying, from its pending activities.
 * @throws {SyncError} `EVENT_NOT_FOUND`, or `NO_WORKER` when no worker is there to say
 */
export async function readDeliveries(
  client: Client,
  event: Pick<SyncEvent, 'type' | 'id'>,
  { cursor, limit = MAX_PAGE_SIZE }: DeliveriesOptions,
): Promise<DeliveryPage> {
  const handle = client.workflow.getHandle(workflowIdOf(event))
  const description = await describe(handle)
  if (description.status.name === 'COMPLETED') {
    const { deliveries } = (await handle.result()) as SyncEventResult
    return pageOf(deliveries, cursor, limit)
  }
  const page = await queryPage(client, handle, { ...(cursor !== undefined && { cursor }), limit })
  const pending = new Map(
    description.raw.pendingActivities?.map((activity) => [activity.activityId, activity]),
  )
  return {
    ...page,
    deliveries: await Promise.all(
      page.deliveries.map(async (delivery) => {
        const activity = delivery.state === 'attempting' ? pending.get(delivery.endpoint) : undefined
        return activity === undefined ? delivery : withPendingAttempts(client, delivery, activity)
      }),
    ),
  }
}

async function describe(handle: WorkflowHandle): Promise<WorkflowExecutionDescription> {
  try {
    return await handle.describe()
  } catch (cause) {
    if (!(cause instanceof WorkflowNotFoundError)) throw cause
    throw new SyncError(
      'EVENT_NOT_FOUND',
      `event ${handle.workflowId} is not known: it was not accepted, or its history is older than what Temporal keeps`,
      { cause },
    )
  }
}

async function queryPage(
  client: Client,
  handle: WorkflowHandle,
  options: DeliveriesOptions,
): Promise<DeliveryPage> {
  try {
    return await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      handle.query(deliveriesQuery, options),
    )
  } catch (cause) {
    if (!isGrpcServiceError(cause) && !(cause instanceof QueryNotRegisteredError)) throw cause
    throw new SyncError(
      'NO_WORKER',
      `no worker answered for event ${handle.workflowId} within ${QUERY_TIMEOUT_MS / 1_000} s; ` +
        'the event is safe in Temporal: start a worker with `npx external-sync worker`',
      { cause },
    )
  }
}

/** Adds what Temporal knows of the round that is under way. */
async function withPendingAttempts(
  client: Client,
  delivery: Delivery,
  activity: PendingActivity,
): Promise<Delivery> {
  const { attempt, lastFailure, nextAttemptScheduleTime } = activity
  const evidence = await readEvidence(client, lastFailure)
  const nextRetryAt = optionalTsToDate(nextAttemptScheduleTime)
  return {
    ...delivery,
    attempts: delivery.attempts + Math.max((attempt ?? 1) - 1, 0),
    ...(evidence?.status !== undefined && { lastStatus: evidence.status }),
    ...(evidence?.error !== undefined && { lastError: evidence.error }),
    ...(nextRetryAt !== undefined && { nextRetryAt: nextRetryAt.toISOString() }),
  }
}

async function readEvidence(
  client: Client,
  lastFailure: PendingActivity['lastFailure'],
): Promise<AttemptEvidence | undefined> {
  const failure = await decodeOptionalFailureToOptionalError(client.options.loadedDataConverter, lastFailure)
  if (failure === undefined) return undefined
  if (!(failure instanceof ApplicationFailure)) return { error: failure.message }
  const [evidence] = failure.details ?? []
  return typeof evidence === 'object' && evidence !== null ? evidence : { error: failure.message }
}
