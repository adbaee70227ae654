import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import type { EventToEmit } from '../../client.js'
import { InvalidInputError } from '../../domain/errors.js'
import { parseInput } from '../../domain/parse-input.js'
import { JSON_TYPE, mediaTypeOf } from '../body-parsers.js'
import { refuse } from '../request-error.js'
import { cloudEventSchema, emitBody, emitHeaders, eventSchema, MAX_EVENTS } from './event-schemas.js'

/** What `POST /v1/events` was given: one event, or several that are accepted or refused each by itself. */
export type GivenEvents = { event: ReadEvent } | { events: ReadEvent[] }

/** @throws {InvalidInputError} where it is not accepted */
export type ReadEvent = () => EventToEmit

const listSchema = z
  .array(z.unknown(), 'an array of events')
  .min(1, 'at least one event')
  .max(MAX_EVENTS, `at most ${MAX_EVENTS} events`)

/**
 * Reads the events of a request: plain JSON, or CloudEvents in structured, batched or binary mode (CloudEvents 1.0,
 * HTTP protocol binding, section 3).
 * @throws {RequestError} on another content type
 * @throws {InvalidInputError} on no or too many events, or an idempotency key that is none
 */
export function readGivenEvents(headers: IncomingHttpHeaders, body: unknown): GivenEvents {
  const type = mediaTypeOf(headers['content-type'])
  if (type === 'application/cloudevents+json') return { event: () => fromCloudEvent(body) }
  if (type === 'application/cloudevents-batch+json') return { events: each(body, fromCloudEvent) }
  if (headers['ce-specversion'] !== undefined && (type === '' || JSON_TYPE.test(type))) {
    const attributes = attributesOf(headers)
    return { event: () => fromCloudEvent({ ...attributes, ...(body !== undefined && { data: body }) }) }
  }
  if (type !== 'application/json') throw unsupported(type)
  const idempotencyKey = idempotencyKeyOf(headers)
  if (!Array.isArray(body)) return { event: () => fromPlain(body, idempotencyKey) }
  if (idempotencyKey === undefined) return { events: each(body, fromPlain) }
  const accepted = 'none beside several events, which have ids of their own'
  throw new InvalidInputError('headers', [{ field: 'idempotency-key', accepted }])
}

function each(body: unknown, read: (event: unknown) => EventToEmit): ReadEvent[] {
  const events = parseInput(listSchema, body, { subject: 'body', wrapper: 'body' })
  return events.map((event) => () => read(event))
}

function fromPlain(body: unknown, idempotencyKey?: string): EventToEmit {
  const given = parseInput(eventSchema, body, { subject: 'event', wrapper: 'event' })
  const { type, data, id = idempotencyKey, key, time } = given
  return toEmit({ type, data }, { id, key, time })
}

function fromCloudEvent(body: unknown): EventToEmit {
  const given = parseInput(cloudEventSchema, body, { subject: 'CloudEvent', wrapper: 'CloudEvent' })
  const { type, data = null, id, subject: key, time } = given
  return toEmit({ type, data }, { id, key, time })
}

function toEmit(
  event: Pick<EventToEmit, 'type' | 'data'>,
  { id, key, time }: Record<'id' | 'key' | 'time', string | undefined>,
): EventToEmit {
  return {
    ...event,
    ...(id !== undefined && { id }),
    ...(key !== undefined && { key }),
    ...(time !== undefined && { time }),
  }
}

/** The attributes of binary mode, percent-decoded (section 3.1.3.2). */
function attributesOf(headers: IncomingHttpHeaders): Record<string, string> {
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('ce-') && name !== 'ce-data' ? [[name.slice('ce-'.length), decoded(String(value))]] : [],
  )
  return Object.fromEntries(attributes) as Record<string, string>
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** The header's value, with or without the quotes of a structured field (draft-ietf-httpapi-idempotency-key-header). */
function idempotencyKeyOf({ 'idempotency-key': given }: IncomingHttpHeaders): string | undefined {
  const value = typeof given === 'string' ? given.replace(/^"(.*)"$/, '$1') : given
  return parseInput(emitHeaders, { 'idempotency-key': value }, { subject: 'headers' })['idempotency-key']
}

function unsupported(type: string): Error {
  const types = Object.keys(emitBody.content).join(', ')
  return refuse(415, 'UNSUPPORTED_MEDIA_TYPE', {
    field: 'content-type',
    ...(type !== '' && { value: JSON.stringify(type) }),
    accepted: `${types}, or any JSON beside the ce- headers of a CloudEvent`,
  })
}
