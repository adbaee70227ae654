import type { Client } from '@temporalio/client'
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js'

/**
 * What a workflow was started with, by the first event of its history.
 * @throws what the call to Temporal throws, such as that the history is not kept any longer
 */
export async function readStartInput<T>(
  client: Client,
  execution: { workflowId: string; runId?: string },
): Promise<T> {
  const { workflowId, runId = '' } = execution
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  })
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads
  return decodeFromPayloadsAtIndex<T>(client.options.loadedDataConverter, 0, payloads)
}
