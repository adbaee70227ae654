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
