import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { InvalidInputError } from './errors.js'
import { toJson, type Json } from './json.js'
import { parseInput } from './parse-input.js'
import { isOwn, isReserved } from './reserved-types.js'
import { traceContextIn, traceContextShape, type TraceContext } from './trace-context.js'

/** Something that happened, as Temporal and every receiver see it; its trace context is that of what emitted it. */
export interface SyncEvent extends TraceContext {
  /** What happened, such as `policy.approved`. */
  type: string
  /** Identifies this event within its type; the receiver sees it as `webhook-id`. */
  id: string
  /** When it happened, as an RFC 3339 timestamp in UTC. */
  time: string
  data: Json
  /** The entity that it is about, such as `policy/42`. */
  key?: string
}

/** What `emit` takes besides type and data; a trace context is that of the active span by default. */
export interface EmitOptions extends TraceContext {
  /** The event's id; the same type and id again is the same event. @default a new UUIDv7 */
  id?: string
  /** The entity that the event is about, such as `policy/42`; operators can search for it. */
  key?: string
  /** When it happened. @default now */
  time?: Date | string
}

/** A serialised event's largest accepted size in bytes, unless configured. */
export const DEFAULT_MAX_DATA_BYTES = 256 * 1024

const RESERVED = 'a name that does not begin with "external-sync.", which is reserved'

const typeSchema = z
  .string('a string')
  .max(100, 'at most 100 characters')
  .regex(
    /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
    'names of letters, digits, "_" and "-" joined by dots, such as policy.approved',
  )
  .refine((type) => type !== 'error', 'any name but "error", which is reserved for on("error", …)')

/** What an event's type may be. */
export const eventTypeSchema = typeSchema.refine((type) => !isReserved(type), RESERVED)

/** What the type of an event may be that somebody emits. */
export const emittedTypeSchema = typeSchema.refine((type) => !isOwn(type), RESERVED)

/** What an event's id may be. */
export const eventIdSchema = z
  .string('a string')
  .regex(/^[A-Za-z0-9._:@+=~-]{1,128}$/, '1 to 128 letters, digits and . _ : @ + = ~ -')

/** What may be said of why a delivery is given up. */
export const discardReasonSchema = z
  .string('a string')
  .trim()
  .min(1, 'a reason')
  .max(500, 'at most 500 characters')

const ACCEPTED_TIME = 'a Date or an RFC 3339 timestamp with an offset, in the years 0000 to 9999'

/** A moment as text, which {@link timeSchema} makes UTC. */
export const timestampSchema = z.iso.datetime({ offset: true, error: ACCEPTED_TIME })

/** A moment, made RFC 3339 in UTC. */
export const timeSchema = z
  .union([z.date(), timestampSchema], ACCEPTED_TIME)
  .transform((time) => new Date(time).toISOString())
  .refine((time) => /^\d{4}-/.test(time), ACCEPTED_TIME)

/** What an event may have besides type and data. */
export const emitOptionsSchema = z.strictObject(
  {
    id: eventIdSchema.optional(),
    key: z
      .string('a string')
      // Temporal finds no value with `"` or `\` in its search attributes where Postgres keeps them.
      .regex(/^[^\p{Cc}\p{Cs}"\\]{1,200}$/u, '1 to 200 characters, none of them a control character, " or \\')
      .optional(),
    time: timeSchema.optional(),
    ...traceContextShape,
  },
  'an object of the options id, key and time',
)

const eventSchema = z.object({ type: emittedTypeSchema, options: emitOptionsSchema })

/**
 * Makes the event of one `emit` call; the data are copied, so that later changes to them have no effect.
 * @throws {InvalidInputError} on anything that could not be delivered as it was meant
 */
export function createEvent(
  type: string,
  data: unknown,
  options: EmitOptions,
  maxDataBytes: number,
  now: () => Date = () => new Date(),
): SyncEvent {
  const subject = typeof type === 'string' && type.length <= 100 ? `emit(${JSON.stringify(type)})` : 'emit'
  const { options: parsed } = parseInput(eventSchema, { type, options }, { subject, wrapper: 'options' })
  const copy = toJson(data, subject)
  const bytes = Buffer.byteLength(JSON.stringify(copy))
  if (bytes > maxDataBytes) {
    throw new InvalidInputError(subject, [
      { field: 'data', value: `of ${bytes} bytes`, accepted: `at most ${maxDataBytes} bytes of JSON` },
    ])
  }
  return {
    type,
    id: parsed.id ?? uuidv7(),
    time: parsed.time ?? now().toISOString(),
    data: copy,
    ...(parsed.key !== undefined && { key: parsed.key }),
    ...traceContextIn(parsed),
  }
}

/** @throws {InvalidInputError} on a type that no event can have */
export function parseEventType(type: string): string {
  return parseInput(z.object({ type: eventTypeSchema }), { type }, { subject: 'event' }).type
}

/** @throws {InvalidInputError} on a type or an id that no event can have */
export function parseEventIdentity(type: string, id: string): Pick<SyncEvent, 'type' | 'id'> {
  return parseInput(
    z.object({ type: eventTypeSchema, id: eventIdSchema }),
    { type, id },
    { subject: 'event' },
  )
}

/** @throws {InvalidInputError} on a reason that says nothing or too much */
export function parseDiscardReason(reason: string): string {
  return parseInput(z.object({ reason: discardReasonSchema }), { reason }, { subject: 'discardDelivery' })
    .reason
}
