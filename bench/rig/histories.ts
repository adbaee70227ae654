import type { System } from './system.js'

/** The longest and the largest history among all workflows of the system; they need not be of the same one. */
export async function largestHistory({
  client,
  taskQueue,
}: System): Promise<{ events: number; bytes: number }> {
  const largest = { events: 0, bytes: 0 }
  for await (const { workflowId, runId } of client.workflow.list({ query: `TaskQueue = "${taskQueue}"` })) {
    // The list lags, and knows the size of closed ones only.
    const { historyLength, historySize } = await client.workflow.getHandle(workflowId, runId).describe()
    largest.events = Math.max(largest.events, historyLength)
    largest.bytes = Math.max(largest.bytes, historySize ?? 0)
  }
  return largest
}

/** How many of the first thousand events of a type, in percent, began on their emitter's own worker at once. */
export async function eagerStartsPct({ client, namespace }: System, type: string): Promise<number> {
  const { executions } = await client.workflowService.listWorkflowExecutions({
    namespace,
    query: `WorkflowId STARTS_WITH "${type}/"`,
    pageSize: 1_000,
  })
  let eager = 0
  for (const { execution } of executions ?? []) {
    const { history } = await client.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: execution ?? null,
      maximumPageSize: 1,
    })
    const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes
    if (started?.eagerExecutionAccepted === true) eager += 1
  }
  return (100 * eager) / (executions?.length ?? 0)
}
