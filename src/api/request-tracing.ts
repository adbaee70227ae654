import { SpanKind, trace, type Span } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import { traceContextIn, type TraceContext } from '../domain/trace-context.js'
import { markFailed } from '../tracing/event-spans.js'
import { toContext, toTraceContext, tracer } from '../tracing/trace-contexts.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** What continues the trace of this request, where it may belong to one. */
    traceContext: TraceContext | undefined
    /** The request's own span, which ends with it. */
    span: Span | undefined
  }
}

/**
 * Continues the trace of a caller in a span of the request (OpenTelemetry's semantic conventions for HTTP servers);
 * a caller's malformed `traceparent` counts for none (W3C Trace Context, section 3.2). An instrumentation of Node's
 * HTTP server that is active has a span already.
 */
export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('traceContext', undefined)
  app.decorateRequest('span', undefined)
  app.addHook('onRequest', async (request) => {
    const { method, headers, routeOptions } = request
    const route = routeOptions.url
    if (route?.startsWith('/v1/') !== true) return
    const active = trace.getActiveSpan()
    if (active !== undefined) {
      request.traceContext = toTraceContext(active)
      return
    }
    const span = tracer().startSpan(
      `${method} ${route}`,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': method, 'http.route': route } },
      toContext(traceContextIn(headers as TraceContext)),
    )
    request.span = span
    request.traceContext = toTraceContext(span)
  })
  app.addHook('onResponse', async ({ span }, { statusCode }) => {
    if (span === undefined) return
    span.setAttribute('http.response.status_code', statusCode)
    if (statusCode >= 500) markFailed(span, String(statusCode))
    span.end()
  })
}
