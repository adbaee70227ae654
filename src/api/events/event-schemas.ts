import { z } from 'zod'
import {
  discardReasonSchema,
  emitOptionsSchema,
  eventIdSchema,
  timestampSchema,
  emittedTypeSchema,
  eventTypeSchema,
} from '../../domain/event.js'
import { endpointNameSchema } from '../../domain/parse-endpoint.js'
import { limitUpTo, nextCursor, textCursor } from '../page-query.js'
import { problemSchema } from '../problem-schema.js'

const EVENT_STATUSES = ['running', 'completed', 'canceled', 'terminated', 'failed'] as const

/** Events of one request at most. */
export const MAX_EVENTS = 1_000

const { id, key } = emitOptionsSchema.shape
const time = timestampSchema.optional()

/** An event as it is emitted. */
export const eventSchema = z
  .strictObject(
    {
      type: emittedTypeSchema.meta({ description: 'What happened.', examples: ['policy.approved'] }),
      data: z
        .unknown()
        .refine((data) => data !== undefined, 'JSON')
        .meta({ description: 'Any JSON.', examples: [{ id: 'SAFETY-7', content: 'No landings at night.' }] }),
      id: id.meta({
        description:
          'Identifies the event within its type; the same type and id again is the same event. ' +
          'Default: `idempotency-key`, else a new UUIDv7.',
        examples: ['SAFETY-7-v1'],
      }),
      key: key.meta({ description: 'The entity that it is about.', examples: ['policy/SAFETY-7'] }),
      time: time.meta({ description: 'When it happened. Default: now.', examples: ['2026-11-25T10:00:00Z'] }),
    },
    'an object of type, data, id, key and time',
  )
  .meta({ id: 'Event', description: 'Something that happened.' })

/** A CloudEvent 1.0 in the JSON format, whose `subject` is the event's key. */
export const cloudEventSchema = z
  .looseObject(
    {
      specversion: z.literal('1.0', '1.0'),
      id: eventIdSchema,
      source: z.string('a URI').min(1, 'a URI').meta({ description: 'Required, and not kept.' }),
      type: emittedTypeSchema,
      subject: key.meta({ description: 'The event’s key.' }),
      time,
      datacontenttype: z
        .string('a content type')
        .regex(/^application\/([\w.-]+\+)?json\s*(;.*)?$/i, 'a content type of JSON')
        .optional(),
      data: z.unknown().optional().meta({ description: 'Any JSON. Default: null.' }),
      data_base64: z.never('none: the data must be JSON').optional(),
    },
    'a CloudEvent',
  )
  .meta({ id: 'CloudEvent', description: 'A CloudEvent 1.0. Its extension attributes are not kept.' })

const receiptSchema = z
  .object({
    eventId: z.string(),
    workflowId: z.string().meta({ description: 'Where it is seen in the Temporal UI.' }),
    duplicate: z.boolean().optional().meta({
      description: 'Whether it had been accepted before; absent where a group of events took it.',
    }),
  })
  .meta({ id: 'Receipt', description: 'The event is accepted: from here nothing is lost.' })

/** What became of the events of one request, in their order. */
const emissionSchema = z
  .object({
    results: z.array(
      z.union([
        z.object({ status: z.literal(202), receipt: receiptSchema }),
        z.object({ status: z.int().min(400).max(599), problem: problemSchema }),
      ]),
    ),
  })
  .meta({ id: 'Receipts', description: 'A receipt or a problem for each event, in their order.' })

/** What `POST /v1/events` takes, by content type. */
export const emitBody = {
  content: {
    'application/json': {
      schema: z.union([eventSchema, z.array(eventSchema).min(1).max(MAX_EVENTS)]),
    },
    'application/cloudevents+json': { schema: cloudEventSchema },
    'application/cloudevents-batch+json': { schema: z.array(cloudEventSchema).min(1).max(MAX_EVENTS) },
  },
}

/** What it reads of the headers, beside the `ce-` ones of a CloudEvent in binary mode. */
export const emitHeaders = z.object({
  'idempotency-key': eventIdSchema.optional().meta({
    description: 'The event’s id where it has none of its own; not with several events.',
  }),
})

/** What it answers with: one receipt, or several. */
export const emitAnswer = z.union([receiptSchema, emissionSchema])

export const eventPath = z.object({ type: eventTypeSchema, id: eventIdSchema })
export const deliveryPath = eventPath.extend({ endpoint: endpointNameSchema })
export const discardBody = z.strictObject({ reason: discardReasonSchema }, 'an object of reason')

const timestamp = z.iso.datetime()

const attemptSchema = z
  .object({
    at: timestamp.meta({ description: 'When it began.' }),
    durationMs: z.number(),
    status: z.int().optional(),
    error: z.string().optional(),
    excerpt: z.string().optional().meta({ description: 'The beginning of an answer that was no success.' }),
  })
  .meta({ id: 'Attempt', description: 'One HTTP request of a delivery.' })

/** One event to one endpoint. */
export const deliverySchema = z
  .object({
    endpoint: z.string(),
    state: z.enum(['attempting', 'waiting', 'delivered', 'discarded']),
    reason: z.string().optional().meta({ description: 'Why it waits, or was discarded.' }),
    attempts: z.int(),
    lastStatus: z.int().optional(),
    lastError: z.string().optional(),
    nextRetryAt: timestamp.optional(),
    endedAt: timestamp.optional(),
    evidence: z.array(attemptSchema).optional().meta({ description: 'The last attempts, oldest first.' }),
    endpointVersion: z.string().optional().meta({
      description: 'While it waits: the version of the endpoint that its last attempt has seen.',
    }),
    notBefore: timestamp.optional().meta({ description: 'The receiver asked for no attempt before.' }),
  })
  .meta({ id: 'Delivery', description: 'One event to one endpoint.' })

/** The deliveries of an event. */
export const deliveryPageSchema = z
  .object({ type: z.string(), id: z.string(), deliveries: z.array(deliverySchema), nextCursor })
  .meta({ id: 'DeliveryPage', description: 'Where the deliveries of an event stand.' })

/** Which events to list. */
export const eventsQuery = z.strictObject({
  type: eventTypeSchema.optional(),
  waitingOn: endpointNameSchema
    .optional()
    .meta({ description: 'The name of an endpoint for which a delivery waits.' }),
  status: z.enum(EVENT_STATUSES, `one of ${EVENT_STATUSES.join(', ')}`).optional(),
  since: timestampSchema.optional().meta({ description: 'Accepted then or later.' }),
  until: timestampSchema.optional().meta({ description: 'Accepted before.' }),
  limit: limitUpTo(200, 50),
  cursor: textCursor,
})

/** An event of a list. */
export const listedEventSchema = z
  .object({
    type: z.string(),
    id: z.string(),
    workflowId: z.string(),
    status: z.enum(EVENT_STATUSES).meta({
      description:
        '`running` until each delivery has ended, `completed` then; an operator can end it early in ' +
        'Temporal, with `canceled` or `terminated`.',
    }),
    acceptedAt: timestamp,
    endedAt: timestamp.optional(),
    waiting: z.int().meta({ description: 'How many of its deliveries wait.' }),
    waitingOn: z.array(z.string()).meta({ description: 'For which endpoints.' }),
  })
  .meta({
    id: 'ListedEvent',
    description: 'An event as Temporal’s visibility knows it, a second late.',
  })

/** Events as Temporal's visibility knows them. */
export const eventPageSchema = z
  .object({ events: z.array(listedEventSchema), nextCursor })
  .meta({ id: 'EventPage', description: 'Those that run first, then the latest that ended.' })
