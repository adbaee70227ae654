import type { Client, WorkflowExecutionDescription } from '@temporalio/client'
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { NO_PROGRESS, type RoundProgress } from '../domain/delivery.js'

/** An activity that Temporal runs or will retry. */
export type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]

/** What a round that is under way has come to, as its last attempt left it with a heartbeat. */
export async function readRoundProgress(
  client: Client,
  { heartbeatDetails }: PendingActivity,
): Promise<RoundProgress> {
  const payloads = heartbeatDetails?.payloads
  if (payloads === undefined || payloads === null || payloads.length === 0) return NO_PROGRESS
  return decodeFromPayloadsAtIndex<RoundProgress>(client.options.loadedDataConverter, 0, payloads)
}
