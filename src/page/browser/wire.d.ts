import type { Delivery } from '../../domain/delivery.js'
import type { EndpointStatus, EndpointTotals, MinuteStatus, StatusOverview } from '../../domain/status.js'

export type { Delivery, EndpointStatus, EndpointTotals, MinuteStatus }

/** An event of a list, as the API answers it. */
export interface ListedEvent {
  type: string
  id: string
  workflowId: string
  status: 'running' | 'completed' | 'canceled' | 'terminated' | 'failed'
  acceptedAt: string
  endedAt?: string
  waiting: number
  waitingOn: string[]
}

/** What `GET /v1/status` answers. */
export interface Status extends StatusOverview {
  events: ListedEvent[]
  temporalUiUrl?: string
}

/** What `GET /v1/events/{type}/{id}` answers. */
export interface DeliveryPage {
  deliveries: Delivery[]
  nextCursor?: string
}

/** What `POST /v1/endpoints/{name}/test` answers. */
export interface TestReport {
  outcome: 'delivered' | 'retry' | 'down' | 'misconfigured' | 'rejected' | 'paused'
  status?: number
  error?: string
  durationMs: number
  excerpt?: string
}

/** What the page can do from anywhere in it. */
export interface Actions {
  retry(event: Pick<ListedEvent, 'type' | 'id'>, endpoint: string): void
  pause(endpoint: EndpointStatus): void
  resume(endpoint: EndpointStatus): void
  test(endpoint: EndpointStatus): void
  /** Where the Temporal UI shows a workflow; undefined where there is none. */
  workflowUrl(workflowId: string): string | undefined
}
