import { HTTP, type CloudEvent } from 'cloudevents'
import { describe, expect, test } from 'vitest'
import type { SyncEvent } from '../../src/domain/event.js'
import { DEFAULT_FORMAT, FORMAT_NAMES } from '../../src/domain/formats/format-names.js'
import { FORMATS } from '../../src/domain/formats/formats.js'
import type { Json } from '../../src/domain/json.js'
import { parseEndpoint } from '../../src/domain/parse-endpoint.js'

const event: SyncEvent = {
  type: 'policy.approved',
  id: '0198c5a2-7b1e-7000-8000-000000000001',
  time: '2026-01-01T00:00:00.123Z',
  data: { id: 'SAFETY-7', content: 'Größe "🚑"' },
  key: 'policy/SAFETY-7',
}

test('the envelope is the event’s type and data, and nothing else', () => {
  expect(FORMATS.envelope.toContent(event)).toEqual({
    headers: { 'content-type': 'application/json' },
    body: '{"event":"policy.approved","data":{"id":"SAFETY-7","content":"Größe \\"🚑\\""}}',
  })
})

test('raw is the data alone', () => {
  expect(FORMATS.raw.toContent(event)).toEqual({
    headers: { 'content-type': 'application/json' },
    body: '{"id":"SAFETY-7","content":"Größe \\"🚑\\""}',
  })
})

describe.each(['cloudevents-structured', 'cloudevents-binary'] as const)('%s', (format) => {
  test('is what the official SDK reads as the same event', () => {
    const read = HTTP.toEvent(FORMATS[format].toContent(event)) as CloudEvent<unknown>

    expect(read.validate()).toBe(true)
    expect(read).toMatchObject({
      specversion: '1.0',
      id: event.id,
      type: event.type,
      time: event.time,
      source: 'external-sync/policy.approved',
      subject: 'policy/SAFETY-7',
      datacontenttype: 'application/json',
      data: event.data,
    })
  })

  test('has no subject where the event has no key', () => {
    const { key: _key, ...keyless } = event
    const read = HTTP.toEvent(FORMATS[format].toContent(keyless)) as CloudEvent<unknown>

    expect(read.subject).toBeUndefined()
  })

  test('two events of different types and one id differ in their source', () => {
    const [one, other] = [event, { ...event, type: 'policy.revoked' }].map(
      (each) => HTTP.toEvent(FORMATS[format].toContent(each)) as CloudEvent<unknown>,
    )

    expect(one?.id).toBe(other?.id)
    expect(one?.source).not.toBe(other?.source)
  })
})

test('the media types are those of the HTTP binding', () => {
  expect(FORMATS['cloudevents-structured'].toContent(event).headers).toEqual({
    'content-type': 'application/cloudevents+json; charset=utf-8',
  })
  expect(FORMATS['cloudevents-binary'].toContent(event).headers).toMatchObject({
    'content-type': 'application/json',
    'ce-specversion': '1.0',
  })
})

test.each<[Json, string]>([
  [null, 'null'],
  ['text', '"text"'],
  [7, '7'],
  [false, 'false'],
  [[1], '[1]'],
])('binary data are JSON, as their content type says: %j', (data, body) => {
  expect(FORMATS['cloudevents-binary'].toContent({ ...event, data }).body).toBe(body)
})

test.each([
  // The examples of the CloudEvents HTTP binding 1.0, section 3.1.3.2.
  ['Euro € 😀', 'Euro%20%E2%82%AC%20%F0%9F%98%80'],
  ['100% "x"', '100%25%20%22x%22'],
  ['policy/ward-3:A~b', 'policy/ward-3:A~b'],
])('a binary attribute is percent-encoded where a header cannot hold it: %s', (key, subject) => {
  expect(FORMATS['cloudevents-binary'].toContent({ ...event, key }).headers['ce-subject']).toBe(subject)
})

test('every format in the registry can be registered, and no other', () => {
  expect(FORMAT_NAMES).toContain(DEFAULT_FORMAT)
  for (const format of FORMAT_NAMES) {
    expect(parseEndpoint('A', { url: 'https://a.example/', format })).toMatchObject({ format })
  }
  expect(() => parseEndpoint('A', { url: 'https://a.example/', format: 'xml' })).toThrow(
    `format "xml" is not accepted: expected one of ${FORMAT_NAMES.join(', ')}`,
  )
})
