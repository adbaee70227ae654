import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import type { SyncEvent } from '../domain/event.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { aborted } from '../stop-signal.js'
import { eventNotFound } from './event-deliveries.js'
import { findGrouped, type EventLookup } from './grouped-events.js'

/** How long to wait. */
export interface WaitOptions {
  /** Ends the wait, and nothing else. @default it ends with the deliveries alone */
  signal?: AbortSignal
}

/**
 * Waits until every delivery of an event has ended, whether it has a workflow of its own or went in a group.
 * @returns whether they have, and not the wait alone
 * @throws {SyncError} `EVENT_NOT_FOUND`
 */
export async function waitForDeliveries(
  lookup: EventLookup,
  event: Pick<SyncEvent, 'type' | 'id'>,
  { signal = new AbortController().signal }: WaitOptions,
): Promise<boolean> {
  if (await hasEnded(lookup, event, signal)) return true
  if (signal.aborted) return false
  // It went in a group: either that delivered it, or it has a workflow of its own by now.
  const grouped = await findGrouped(lookup, event)
  const isOver = grouped?.deliveries !== undefined || (await hasEnded(lookup, event, signal))
  if (isOver || signal.aborted) return isOver
  throw eventNotFound(workflowIdOf(event), undefined)
}

/** @returns false where there is no such workflow, or the wait has ended first */
async function hasEnded(
  { client }: EventLookup,
  event: Pick<SyncEvent, 'type' | 'id'>,
  signal: AbortSignal,
): Promise<boolean> {
  const { workflow } = client
  const ended = client
    .withAbortSignal(signal, () => workflow.getHandle(workflowIdOf(event)).result())
    .then(() => true, unlessUnknown)
  // The SDK overlooks a signal that is aborted between two of its requests.
  return Promise.race([ended, aborted(signal).then(() => false)])
}

function unlessUnknown(error: unknown): boolean {
  // An operator ended it in Temporal.
  if (error instanceof WorkflowFailedError) return true
  if (error instanceof WorkflowNotFoundError) return false
  throw error
}
