import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { TraceContext } from '../domain/trace-context.js'
import { packageVersion } from '../package-version.js'

const propagator = new W3CTraceContextPropagator()

/** The tracer of whatever OpenTelemetry SDK the process has; without one, its spans are not recorded. */
export function tracer(): Tracer {
  return trace.getTracer('external-sync', packageVersion)
}

/** What a span that continues a trace is started in; one that is malformed counts for none. */
export function toContext(carrier: TraceContext): Context {
  return propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
}

/** What continues a trace after a span; empty where there is no trace. */
export function toTraceContext(span: Span): TraceContext {
  const carrier: TraceContext = {}
  propagator.inject(trace.setSpan(ROOT_CONTEXT, span), carrier, defaultTextMapSetter)
  return carrier
}
