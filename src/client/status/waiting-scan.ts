import type { Client } from '@temporalio/client'
import { decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js'
import { requiredTsToDate } from '@temporalio/common/lib/time.js'
import { allWaitingQuery, waitingQuery } from '../../domain/search-attributes.js'
import { eventOfWorkflow, workflowIdOf } from '../../domain/workflow-id.js'
import { syncWaitingOn } from '../../workflows/waiting-attributes.js'

/** Where Temporal is asked. */
export interface ScanParts {
  client: Client
  taskQueue: string
}

/** How far a scan goes: workflows of a page, and pages. */
export interface ScanBounds {
  pageSize: number
  maxPages: number
}

/** What waits for an endpoint, as far as it was found. */
interface WaitingFor {
  count: number
  /** When the oldest was accepted, RFC 3339. */
  oldest: string
}

/** What waits, as far as it was looked for. */
export interface WaitingScan {
  /** Whether that is all that waits. Else there are older ones: Temporal lists the latest first. */
  isComplete: boolean
  byEndpoint: ReadonlyMap<string, WaitingFor>
  /** Deliveries that wait, by the workflow id of their event. */
  byEvent: ReadonlyMap<string, number>
}

/** Looks at the latest workflows of which deliveries wait. */
export async function scanWaiting(
  { client, taskQueue }: ScanParts,
  { pageSize, maxPages }: ScanBounds,
): Promise<WaitingScan> {
  const byEndpoint = new Map<string, WaitingFor>()
  const byEvent = new Map<string, number>()
  let token: Uint8Array = new Uint8Array()
  for (let page = 0; page < maxPages; page += 1) {
    const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query: allWaitingQuery(taskQueue),
      pageSize,
      nextPageToken: token,
    })
    for (const { execution, startTime, searchAttributes } of executions ?? []) {
      const endpoints = decodeTypedSearchAttributes(searchAttributes?.indexedFields).get(syncWaitingOn) ?? []
      const acceptedAt = requiredTsToDate(startTime, 'startTime').toISOString()
      for (const name of endpoints) note(byEndpoint, name, acceptedAt)
      const event = eventOfWorkflow(execution?.workflowId ?? '')
      if (event === undefined) continue
      const key = workflowIdOf(event)
      byEvent.set(key, (byEvent.get(key) ?? 0) + endpoints.length)
    }
    token = nextPageToken ?? new Uint8Array()
    if (token.length === 0) break
  }
  return { isComplete: token.length === 0, byEndpoint, byEvent }
}

/** How many deliveries wait for an endpoint: each in a workflow of its own. */
export async function countWaiting({ client, taskQueue }: ScanParts, endpoint: string): Promise<number> {
  const { count } = await client.workflow.count(waitingQuery(endpoint, taskQueue))
  return count
}

function note(byEndpoint: Map<string, WaitingFor>, name: string, acceptedAt: string): void {
  const found = byEndpoint.get(name)
  if (found === undefined) byEndpoint.set(name, { count: 1, oldest: acceptedAt })
  else {
    found.count += 1
    if (acceptedAt < found.oldest) found.oldest = acceptedAt
  }
}
