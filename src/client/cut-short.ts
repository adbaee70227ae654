import { WorkflowNotFoundError, type Client, type WorkflowExecutionStatusName } from '@temporalio/client'
import type { SyncEvent } from '../domain/event.js'
import { workflowIdOf } from '../domain/workflow-id.js'

/** How long Temporal has to say, in milliseconds. */
const TIMEOUT_MS = 10_000

/** An event whose workflow ended so starts again when it is emitted again; see `eventStartOptions`. */
const CUT_SHORT: ReadonlySet<WorkflowExecutionStatusName> = new Set([
  'CANCELLED',
  'FAILED',
  'TERMINATED',
  'TIMED_OUT',
])

/** Whether the workflow that has an accepted event, its own or else its group's, was ended from outside. */
export async function wasCutShort(
  client: Client,
  event: Pick<SyncEvent, 'type' | 'id'>,
  acceptedBy: string,
): Promise<boolean> {
  const status = (await statusOf(client, workflowIdOf(event))) ?? (await statusOf(client, acceptedBy))
  return status !== undefined && CUT_SHORT.has(status)
}

async function statusOf(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionStatusName | undefined> {
  try {
    const { status } = await client.withDeadline(Date.now() + TIMEOUT_MS, () =>
      client.workflow.getHandle(workflowId).describe(),
    )
    return status.name
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}
