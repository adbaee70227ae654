import {
  ParentClosePolicy,
  proxyLocalActivities,
  setCurrentDetails,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import type { GroupOutcome } from '../activities/first-attempts-of-group.js'
import type { Activities } from '../activities/index.js'
import type { SyncEvent } from '../domain/event.js'
import { describeGroup } from './current-details.js'
import { eventStartOptions } from './event-start-options.js'
import type { SyncEventInput, SyncGroupInput, SyncGroupResult } from './messages.js'
import { syncEvent } from './sync-event.js'

const { firstAttemptsOfGroup } = proxyLocalActivities<Activities>({
  summary: 'resolve the subscribed endpoints and attempt each for every event',
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/** Workflows that are being started at the same time. */
const MAX_STARTING = 20

/**
 * Delivers events that were emitted at the same time: makes the first attempts of all of them, and hands each
 * event of which a delivery is not finished to a workflow of its own, which goes on from there.
 */
export async function syncGroup({ events, registryRevision }: SyncGroupInput): Promise<SyncGroupResult> {
  const acceptedAt = workflowInfo().startTime.toISOString()
  const { subscribers, outcomes } = await firstAttemptsOfGroup({ events, acceptedAt, registryRevision })
  const attemptedAt = new Date().toISOString()
  const goingOn = outcomes.flatMap((outcome, index) =>
    outcome.kind === 'unfinished' ? [() => goOn(events[index]!, outcome, acceptedAt, registryRevision)] : [],
  )
  // All at once, their workflow tasks would wait for the worker beyond their time limit.
  while (goingOn.length > 0) await Promise.all(goingOn.splice(0, MAX_STARTING).map((start) => start()))
  const result: SyncGroupResult = {
    attemptedAt,
    subscribers,
    events: outcomes.map((outcome, index) => {
      const { type, id } = events[index]!
      return outcome.kind === 'unfinished' ? { type, id } : { type, id, statuses: outcome.statuses }
    }),
  }
  setCurrentDetails(describeGroup(result))
  return result
}

/** An event that has a workflow was emitted before, and is delivered by that one. */
async function goOn(
  event: SyncEvent,
  { deliveries, dataHash }: GroupOutcome & { kind: 'unfinished' },
  acceptedAt: string,
  registryRevision: number | undefined,
): Promise<void> {
  const input: SyncEventInput = {
    event,
    acceptedAt,
    ...(deliveries === undefined
      ? { firstAttempts: 'together', ...(registryRevision !== undefined && { registryRevision }) }
      : { deliveries }),
  }
  try {
    await startChild(syncEvent, {
      ...eventStartOptions(event, dataHash, deliveries),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    })
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}
