import type { Client } from '@temporalio/client'
import { RELEASE_ENDPOINT_WORKFLOW, releaseAgainSignal, type ReleaseRequest } from '../workflows/messages.js'

/**
 * Lets what waits for an endpoint go on, by a workflow that survives this process. Its id cannot be an
 * event's: event types have no colon.
 */
export async function startRelease(
  { client, taskQueue }: { client: Client; taskQueue: string },
  endpoint: string,
  request: ReleaseRequest = {},
): Promise<void> {
  await client.workflow.signalWithStart(RELEASE_ENDPOINT_WORKFLOW, {
    workflowId: `release:${taskQueue}:${endpoint}`,
    taskQueue,
    args: [endpoint, request],
    signal: releaseAgainSignal,
    signalArgs: [request],
    staticSummary: `release what waits for ${endpoint}`,
  })
}
