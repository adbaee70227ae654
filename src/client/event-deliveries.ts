import {
  QueryNotRegisteredError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client'
import { optionalTsToDate } from '@temporalio/common/lib/time.js'
import { z } from 'zod'
import { discarded, hasEnded, withProgress, type Delivery } from '../domain/delivery.js'
import { SyncError } from '../domain/errors.js'
import type { SyncEvent } from '../domain/event.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { parseInput } from '../domain/parse-input.js'
import { findGrouped, type EventLookup } from './grouped-events.js'
import { noWorker } from './no-worker.js'
import { fitEvidence } from '../domain/fit-evidence.js'
import { wholeNumberUpTo } from '../domain/whole-number.js'
import { grpcStatus } from '../temporal/grpc-status.js'
import { readRoundProgress, type PendingActivity } from '../temporal/round-progress.js'
import {
  deliveriesQuery,
  MAX_PAGE_SIZE,
  pageOf,
  type DeliveryPage,
  type EventPart,
  type SyncEventResult,
} from '../workflows/messages.js'

/** How long a worker has to answer, in milliseconds; one that was killed is waited for during 10 s first. */
const QUERY_TIMEOUT_MS = 20_000

/** Which part of the deliveries to return. */
export interface DeliveriesOptions {
  /** `nextCursor` of the page before. @default the first page */
  cursor?: string
  /** @default 100, which is also the most */
  limit?: number
}

const optionsSchema = z.strictObject({
  cursor: z
    .string('a nextCursor')
    .regex(/^\d{1,9}$/, 'a nextCursor of the page before')
    .optional(),
  limit: wholeNumberUpTo(MAX_PAGE_SIZE).optional(),
})

/** @throws {InvalidInputError} */
export function checkDeliveriesOptions(options: DeliveriesOptions): void {
  parseInput(optionsSchema, options, { subject: 'deliveries' })
}

/**
 * Where an event's deliveries stand, whether it has a workflow of its own or went in a group.
 * @throws {SyncError} `EVENT_NOT_FOUND`, or `NO_WORKER` when no worker is there to say
 */
export async function readDeliveries(
  lookup: EventLookup,
  event: Pick<SyncEvent, 'type' | 'id'>,
  options: DeliveriesOptions,
): Promise<DeliveryPage> {
  try {
    return await readOwnDeliveries(lookup.client, event, options)
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'EVENT_NOT_FOUND') throw error
    const grouped = await findGrouped(lookup, event)
    if (grouped === undefined) throw error
    if (grouped.deliveries === undefined) return readOwnDeliveries(lookup.client, event, options)
    return pageOf(grouped.deliveries, options.cursor, options.limit ?? MAX_PAGE_SIZE)
  }
}

/**
 * From the result of a workflow that has completed, else from its state and, for the attempts that Temporal is
 * retrying, from its pending activities.
 */
async function readOwnDeliveries(
  client: Client,
  event: Pick<SyncEvent, 'type' | 'id'>,
  options: DeliveriesOptions,
): Promise<DeliveryPage> {
  return readWorkflow(client, workflowIdOf(event), options)
}

async function readWorkflow(
  client: Client,
  workflowId: string,
  { cursor, limit = MAX_PAGE_SIZE }: DeliveriesOptions,
): Promise<DeliveryPage> {
  const handle = client.workflow.getHandle(workflowId)
  const description = await describe(handle)
  if (description.status.name === 'COMPLETED') {
    const { deliveries, parts } = (await handle.result()) as SyncEventResult
    if (parts !== undefined) return readParts(client, parts, cursor, limit)
    return pageOf(deliveries, cursor, limit)
  }
  const { parts, ...page } = await queryPage(client, handle, {
    ...(cursor !== undefined && { cursor }),
    limit,
  })
  if (parts !== undefined) return readParts(client, parts, cursor, limit)
  if (description.status.name !== 'RUNNING') {
    const deliveries = page.deliveries.map((delivery) => cutShort(delivery, description))
    return { ...page, deliveries }
  }
  const rounds = new Map(description.raw.pendingActivities?.map((round) => [round.activityId, round]))
  const withRounds = page.deliveries.map(async (delivery) => {
    const round = delivery.state === 'attempting' ? rounds.get(delivery.endpoint) : undefined
    return round === undefined ? delivery : withRound(client, delivery, round)
  })
  return { ...page, deliveries: await Promise.all(withRounds) }
}

/** A page of deliveries that are with several workflows, in the order of the parts. */
async function readParts(
  client: Client,
  parts: readonly EventPart[],
  cursor: string | undefined,
  limit: number,
): Promise<DeliveryPage> {
  const start = Number(cursor ?? 0)
  const total = parts.reduce((sum, part) => sum + part.deliveries, 0)
  const deliveries: Delivery[] = []
  let offset = 0
  for (const part of parts) {
    const next = Math.max(0, start + deliveries.length - offset)
    offset += part.deliveries
    if (next >= part.deliveries) continue
    if (deliveries.length >= limit) break
    const page = await readWorkflow(client, part.workflowId, {
      cursor: String(next),
      limit: limit - deliveries.length,
    })
    deliveries.push(...page.deliveries)
  }
  const end = start + deliveries.length
  return { deliveries: fitEvidence(deliveries), ...(end < total && { nextCursor: String(end) }) }
}

export function eventNotFound(workflowId: string, cause: unknown): SyncError {
  return new SyncError(
    'EVENT_NOT_FOUND',
    `event ${workflowId} is not known: it was not accepted, or its history is older than what Temporal keeps`,
    { cause },
  )
}

async function describe(handle: WorkflowHandle): Promise<WorkflowExecutionDescription> {
  try {
    return await handle.describe()
  } catch (cause) {
    throw cause instanceof WorkflowNotFoundError ? eventNotFound(handle.workflowId, cause) : cause
  }
}

async function queryPage(
  client: Client,
  handle: WorkflowHandle,
  options: DeliveriesOptions,
): Promise<DeliveryPage & Pick<SyncEventResult, 'parts'>> {
  try {
    return await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, () =>
      handle.query(deliveriesQuery, options),
    )
  } catch (cause) {
    throw grpcStatus(cause) !== undefined || cause instanceof QueryNotRegisteredError
      ? noWorker(handle.workflowId, cause)
      : cause
  }
}

/** An event that was cancelled or terminated in Temporal: what had not ended by then will not be delivered. */
function cutShort(delivery: Delivery, { status, closeTime }: WorkflowExecutionDescription): Delivery {
  if (hasEnded(delivery)) return delivery
  return discarded(delivery, `the workflow was ${status.name.toLowerCase()}`, closeTime ?? new Date())
}

/** Adds what Temporal knows of the round that is under way. */
async function withRound(client: Client, delivery: Delivery, round: PendingActivity): Promise<Delivery> {
  const nextRetryAt = optionalTsToDate(round.nextAttemptScheduleTime)
  return {
    ...withProgress(delivery, await readRoundProgress(client, round)),
    ...(nextRetryAt !== undefined && { nextRetryAt: nextRetryAt.toISOString() }),
  }
}
