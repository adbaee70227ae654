import { activityInfo } from '@temporalio/activity'
import type { Client } from '@temporalio/client'
import { NO_PROGRESS, type RoundProgress } from '../domain/delivery.js'
import { readRoundProgress } from '../temporal/round-progress.js'

/** What the round of one endpoint has come to in the workflow that asks; nothing where there is no round. */
export function createInspectRound({ client }: { client: Client }) {
  return async function inspectRound(endpoint: string): Promise<RoundProgress> {
    const { workflowExecution } = activityInfo()
    if (workflowExecution === undefined) return NO_PROGRESS
    const { workflowId, runId } = workflowExecution
    const { raw } = await client.workflow.getHandle(workflowId, runId).describe()
    const round = raw.pendingActivities?.find(({ activityId }) => activityId === endpoint)
    return round === undefined ? NO_PROGRESS : readRoundProgress(client, round)
  }
}
