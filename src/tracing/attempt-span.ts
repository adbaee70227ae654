import { SpanKind } from '@opentelemetry/api'
import type { AttemptResult } from '../delivery/attempt-result.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { SyncEvent } from '../domain/event.js'
import { attributesOf, continuedBy, markFailed } from './event-spans.js'
import { toContext, tracer } from './trace-contexts.js'

/**
 * Makes an attempt within a span, `deliver EMS-Scheduler`, which the receiver gets as `traceparent`. Of the URL it
 * says the origin, as paths and queries may hold credentials.
 */
export async function traceAttempt(
  endpoint: Endpoint,
  event: SyncEvent,
  attempt: (event: SyncEvent) => Promise<AttemptResult>,
): Promise<AttemptResult> {
  if (event.traceparent === undefined) return attempt(event)
  const { protocol, hostname, port } = new URL(endpoint.url)
  const span = tracer().startSpan(
    `deliver ${endpoint.name}`,
    {
      kind: SpanKind.CLIENT,
      attributes: {
        ...attributesOf(event),
        'messaging.operation.type': 'send',
        'messaging.destination.name': endpoint.name,
        'server.address': hostname,
        'server.port': Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port),
      },
    },
    toContext(event),
  )
  try {
    const result = await attempt(continuedBy(span, event))
    if (result.kind === 'failure') markFailed(span, result.code)
    else {
      span.setAttribute('http.response.status_code', result.status)
      if (result.status >= 400) markFailed(span, String(result.status))
    }
    return result
  } catch (error) {
    markFailed(span, 'interrupted')
    throw error
  } finally {
    span.end()
  }
}
