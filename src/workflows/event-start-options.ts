import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common'
import type { SyncEvent } from '../domain/event.js'
import { workflowIdOf } from '../domain/workflow-id.js'

const eventKey = defineSearchAttributeKey('SyncEventKey', 'KEYWORD')

/** How the workflow of an event is started, whoever does it. */
export function eventStartOptions(event: SyncEvent, dataHash: string) {
  return {
    workflowId: workflowIdOf(event),
    // An event whose workflow was cancelled or terminated was not delivered: emitted again, it is.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
    memo: { dataHash },
    staticSummary: event.key === undefined ? event.type : `${event.type} · ${event.key}`,
    ...(event.key !== undefined && {
      typedSearchAttributes: new TypedSearchAttributes([{ key: eventKey, value: event.key }]),
    }),
  } as const
}
