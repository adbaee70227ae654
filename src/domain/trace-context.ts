import { z } from 'zod'

/** The trace that something belongs to, and its place in it, as its headers spell it (W3C Trace Context). */
export interface TraceContext {
  /** Version, trace id, parent id and flags, such as `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. */
  traceparent?: string
  /** What tracing systems add to it. */
  tracestate?: string
}

/** Section 3.2: version 00, and neither id all zeros. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** What a trace context may be, by field. */
export const traceContextShape = {
  traceparent: z
    .string('a string')
    .regex(TRACEPARENT, 'a traceparent of version 00 (W3C Trace Context)')
    .optional(),
  tracestate: z
    .string('a string')
    .regex(/^[\x20-\x7e]{1,512}$/, '1 to 512 printable ASCII characters')
    .optional(),
}

/** The trace context among other fields, without those that are not there. */
export function traceContextIn({
  traceparent,
  tracestate,
}: {
  [Name in keyof TraceContext]: TraceContext[Name] | undefined
}): TraceContext {
  if (traceparent === undefined) return {}
  return { traceparent, ...(tracestate !== undefined && { tracestate }) }
}
