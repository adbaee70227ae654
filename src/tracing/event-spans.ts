import { context, SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api'
import { SyncError } from '../domain/errors.js'
import type { SyncEvent } from '../domain/event.js'
import { toContext, toTraceContext, tracer } from './trace-contexts.js'

/**
 * Hands an event over within a span of its emitter, `emit policy.approved`, which the event then names as what comes
 * before it (OpenTelemetry's semantic conventions for messaging: a producer).
 */
export async function traceEmit<T>(event: SyncEvent, start: (event: SyncEvent) => Promise<T>): Promise<T> {
  const parent = event.traceparent === undefined ? context.active() : toContext(event)
  const span = tracer().startSpan(
    `emit ${event.type}`,
    { kind: SpanKind.PRODUCER, attributes: { ...attributesOf(event), 'messaging.operation.type': 'send' } },
    parent,
  )
  try {
    return await start(continuedBy(span, event))
  } catch (error) {
    markFailed(span, error instanceof SyncError ? error.code : 'Error')
    throw error
  } finally {
    span.end()
  }
}

/** An event whose first attempts are made; they belong to the span that is open until `end`. */
export interface TracedProcessing {
  event: SyncEvent
  end: () => void
}

/**
 * Opens the span of an event's workflow, `syncEvent policy.approved`: from when Temporal accepted it until its first
 * attempts are over. One that would last until the last delivery could be seen only weeks later; attempts that
 * follow are spans of the same trace. An event that belongs to no trace has none.
 */
export function traceProcessing(
  event: SyncEvent,
  { workflowId, runId }: { workflowId?: string; runId?: string },
  acceptedAt: string,
): TracedProcessing {
  if (event.traceparent === undefined) return { event, end: () => undefined }
  const span = tracer().startSpan(
    `syncEvent ${event.type}`,
    {
      kind: SpanKind.CONSUMER,
      startTime: Date.parse(acceptedAt),
      attributes: {
        ...attributesOf(event),
        'messaging.operation.type': 'process',
        // As Temporal's own SDKs name them.
        temporalWorkflowId: workflowId,
        temporalRunId: runId,
      },
    },
    toContext(event),
  )
  return { event: continuedBy(span, event), end: () => span.end() }
}

/** What tells apart the spans of events; never their data. */
export function attributesOf({ type, id }: SyncEvent): Record<string, string> {
  return { 'messaging.system': 'external-sync', 'messaging.message.id': id, 'external_sync.event.type': type }
}

/** The event as what follows the span gets it. */
export function continuedBy(span: Span, event: SyncEvent): SyncEvent {
  const traceContext = toTraceContext(span)
  if (traceContext.traceparent === undefined) return event
  const { traceparent: _, tracestate: __, ...untraced } = event
  return { ...untraced, ...traceContext }
}

/** @param errorType a code or a class, of low cardinality */
export function markFailed(span: Span, errorType: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.setAttribute('error.type', errorType)
}
