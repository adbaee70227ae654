import {
  defineSearchAttributeKey,
  TypedSearchAttributes,
  type SearchAttributePair,
  type SearchAttributeUpdatePair,
} from '@temporalio/common'
import type { Delivery } from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { waitingAttributes } from './waiting-attributes.js'

const eventKey = defineSearchAttributeKey('SyncEventKey', 'KEYWORD')

/**
 * How the workflow of an event is started, whoever does it. What of its `deliveries` waits is there to be found from
 * the start: a workflow that is given deliveries publishes their changes only.
 */
export function eventStartOptions(event: SyncEvent, dataHash: string, deliveries: readonly Delivery[] = []) {
  const attributes: SearchAttributePair[] = [
    ...(event.key === undefined ? [] : [{ key: eventKey, value: event.key }]),
    ...waitingAttributes(deliveries).updates.filter(saysSomething),
  ]
  return {
    workflowId: workflowIdOf(event),
    // An event whose workflow was cancelled or terminated was not delivered: emitted again, it is.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    memo: { dataHash },
    staticSummary: event.key === undefined ? event.type : `${event.type} · ${event.key}`,
    ...(attributes.length > 0 && { typedSearchAttributes: new TypedSearchAttributes(attributes) }),
  } as const
}

function saysSomething(update: SearchAttributeUpdatePair): update is SearchAttributePair {
  return update.value !== null && update.value !== 0
}
