import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionInfo,
} from '@temporalio/client'
import pLimit from 'p-limit'
import { hashOf } from '../domain/data-hash.js'
import type { Delivery } from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { replayWorkflowIdOf, VISIBILITY_LAG_MS, type ReplayRecord } from '../domain/replay.js'
import { replayedQuery } from '../domain/search-attributes.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { eventStartOptions } from '../workflows/event-start-options.js'
import { SYNC_EVENT_WORKFLOW, type SyncEventInput, type SyncEventResult } from '../workflows/messages.js'

/** Temporal on SQL takes no longer id of a workflow. */
const MAX_ID_LENGTH = 255

/** Results that are read at the same time. */
const CONCURRENCY = 20

/** How often it is looked for what goes on, in milliseconds. */
const POLL_INTERVAL_MS = 500

/** How long what was cancelled has to end, in milliseconds. */
const CANCEL_WITHIN_MS = 60_000

/** An event that a replay has sent and that was not taken at once. */
export interface ReplayedEvent {
  event: SyncEvent
  /** When it was sent, RFC 3339. */
  acceptedAt: string
  /** Where its delivery stands; absent where no attempt was made. */
  delivery?: Delivery
}

/**
 * Starts the workflow that delivers a replayed event, from where it stands: it is retried, waits and is released as
 * any other. One that was started before, by an execution that was cut, is left alone.
 */
export async function goOnByItself(
  { client, taskQueue }: { client: Client; taskQueue: string },
  { id, endpoint }: Pick<ReplayRecord, 'id' | 'endpoint'>,
  { event, acceptedAt, delivery }: ReplayedEvent,
): Promise<void> {
  const deliveries = delivery && [delivery]
  const input: SyncEventInput = {
    event,
    acceptedAt,
    endpoints: [endpoint],
    ...(deliveries === undefined ? { firstAttempts: 'together' } : { deliveries }),
  }
  try {
    await client.workflow.start(SYNC_EVENT_WORKFLOW, {
      ...eventStartOptions(event, hashOf(event.data), deliveries),
      workflowId: replayedIdOf(id, event),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      taskQueue,
      args: [input],
    })
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}

/** How many of a replay's events go on by themselves, of those since a time where one is given (RFC 3339). */
export async function countGoingOn(client: Client, replayId: string, since?: string): Promise<number> {
  const query = `${replayedQuery(replayId)} AND ExecutionStatus = "Running"`
  const { count } = await client.workflow.count(
    since === undefined ? query : `${query} AND StartTime > "${since}"`,
  )
  return count
}

/** How many of those that went on by themselves were given up. */
export async function countDiscarded(client: Client, replayId: string): Promise<number> {
  const query = `${replayedQuery(replayId)} AND ExecutionStatus != "Running"`
  const limit = pLimit(CONCURRENCY)
  const answers: Promise<boolean>[] = []
  for await (const ended of client.workflow.list({ query })) answers.push(limit(isDiscarded, client, ended))
  return (await Promise.all(answers)).filter(Boolean).length
}

/**
 * Ends what goes on by itself, each as an operator's cancellation in Temporal would: an attempt that is under way may
 * still deliver.
 */
export async function cancelGoingOn(client: Client, replayId: string, signal: AbortSignal): Promise<void> {
  const query = `${replayedQuery(replayId)} AND ExecutionStatus = "Running"`
  const told = new Set<string>()
  const endsAt = Date.now() + CANCEL_WITHIN_MS
  for (let quietSince = Date.now(); Date.now() < endsAt;) {
    let open = 0
    for await (const { workflowId } of client.workflow.list({ query })) {
      open += 1
      if (told.has(workflowId)) continue
      told.add(workflowId)
      await client.workflow
        .getHandle(workflowId)
        .cancel()
        .catch((error: unknown) => {
          // It has ended meanwhile.
          if (!(error instanceof WorkflowNotFoundError)) throw error
        })
    }
    if (open > 0) quietSince = Date.now()
    // What was started last may not be listed yet.
    if (Date.now() - quietSince >= VISIBILITY_LAG_MS) return
    await sleep(POLL_INTERVAL_MS, undefined, { signal })
  }
}

async function isDiscarded(
  client: Client,
  { workflowId, runId, status }: WorkflowExecutionInfo,
): Promise<boolean> {
  if (status.name !== 'COMPLETED') return true
  const { deliveries }: SyncEventResult = await client.workflow.getHandle(workflowId, runId).result()
  return deliveries.some(({ state }) => state === 'discarded')
}

/** With a hash in place of an event's id that is too long beside the rest. */
function replayedIdOf(replayId: string, { type, id }: SyncEvent): string {
  const prefix = replayWorkflowIdOf(replayId)
  const readable = `${prefix}/${workflowIdOf({ type, id })}`
  if (readable.length <= MAX_ID_LENGTH) return readable
  return `${prefix}/${workflowIdOf({ type, id: createHash('sha256').update(id).digest('hex') })}`
}
