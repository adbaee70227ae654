import { expect, test } from 'vitest'
import {
  createEvent,
  DEFAULT_MAX_DATA_BYTES,
  parseEventIdentity,
  parseEventType,
  type EmitOptions,
  type SyncEvent,
} from '../../src/domain/event.js'
import { workflowIdOf } from '../../src/domain/workflow-id.js'
import { refusalOf } from './problems.js'

const NOW = new Date('2026-01-02T03:04:05.678Z')

test('an event has its type, its data, a new UUIDv7 and the present time', () => {
  const event = create('policy.approved', { content: '…' })

  expect(event).toEqual({
    type: 'policy.approved',
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    time: '2026-01-02T03:04:05.678Z',
    data: { content: '…' },
  })
})

test('an id is never taken from the data, and new ids differ and ascend', () => {
  const ids = Array.from({ length: 100 }, () => create('policy.approved', { id: 'SAFETY-7' }).id)

  expect(new Set(ids).size).toBe(100)
  expect(ids).not.toContain('SAFETY-7')
  expect(ids.toSorted()).toEqual(ids)
})

test('id, key and time are the caller’s when given', () => {
  const options = { id: 'e-1', key: 'policy/42', time: '2026-01-01T02:00:00+02:00' }

  expect(create('policy.approved', 1, options)).toEqual({
    type: 'policy.approved',
    id: 'e-1',
    key: 'policy/42',
    time: '2026-01-01T00:00:00.000Z',
    data: 1,
  })
})

test.each(['a', 'A-1_z', 'policy.approved', 'a.b.c.d', '-', 'errors', 'error.raised', 'a'.repeat(100)])(
  'a type is accepted: %s',
  (type) => {
    expect(create(type, null).type).toBe(type)
    expect(parseEventType(type)).toBe(type)
  },
)

test.each([
  ['empty', ''],
  ['with a dot first', '.approved'],
  ['with a dot last', 'policy.'],
  ['with two dots', 'policy..approved'],
  ['with a space', 'policy approved'],
  ['with a slash', 'policy/approved'],
  ['with a star', 'policy.*'],
  ['with an umlaut', 'prüfung'],
  ['with a line break', 'policy\n'],
  ['over 100 characters', 'a'.repeat(101)],
  ['reserved', 'error'],
  ['a number', 5],
  ['absent', undefined],
])('a type is refused when it is %s', (_title, type) => {
  const refused = { code: 'INVALID_INPUT', problems: [{ field: 'type' }] }

  expect(refusalOf(() => create(type as string, {}))).toMatchObject(refused)
  expect(refusalOf(() => parseEventType(type as string))).toMatchObject(refused)
})

test.each(['a', 'SAFETY-7', 'a.b_c:d@e+f=g~h-i', '0', 'x'.repeat(128)])('an id is accepted: %s', (id) => {
  expect(create('policy.approved', {}, { id }).id).toBe(id)
})

test.each(['', 'a b', 'a/b', 'a\n', 'é', 'a,b', 'x'.repeat(129), 7, null])('an id is refused: %j', (id) => {
  const options = { id } as EmitOptions

  expect(refusalOf(() => create('policy.approved', {}, options)).problems).toMatchObject([{ field: 'id' }])
  expect(refusalOf(() => parseEventIdentity('policy.approved', id as string)).problems).toMatchObject([
    { field: 'id' },
  ])
})

test.each(['a', 'policy/42', ' ', 'Prüfung №7', "it's 50% of_all", '🚑'.repeat(200), 'x'.repeat(200)])(
  'a key is accepted: %s',
  (key) => {
    expect(create('policy.approved', {}, { key }).key).toBe(key)
  },
)

const REFUSED_KEYS = ['', 'x'.repeat(201), 'a\nb', 'a\u0000', '\u007f', '\ud800', 'a "b"', 'a\\b', 7]

test.each(REFUSED_KEYS)('a key is refused: %j', (key) => {
  const refusal = refusalOf(() => create('policy.approved', {}, { key } as EmitOptions))

  expect(refusal.problems).toMatchObject([{ field: 'key' }])
})

test.each([
  [new Date('2026-01-01T00:00:00Z'), '2026-01-01T00:00:00.000Z'],
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
  ['2026-01-01T00:00:00.123456Z', '2026-01-01T00:00:00.123Z'],
  ['2026-01-01T00:00:00-11:30', '2026-01-01T11:30:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('a time is kept in UTC: %s', (time, kept) => {
  expect(create('policy.approved', {}, { time }).time).toBe(kept)
})

test.each([
  ['without a zone', '2026-01-01T00:00:00'],
  ['without a time of day', '2026-01-01'],
  ['on a day that does not exist', '2026-02-29T00:00:00Z'],
  ['in an hour that does not exist', '2026-01-01T24:00:00Z'],
  ['before the year 0 in UTC', '0000-01-01T00:00:00+01:00'],
  ['after the year 9999 in UTC', '9999-12-31T23:59:59-01:00'],
  ['a Date after the year 9999', new Date(8.64e15)],
  ['an invalid Date', new Date(Number.NaN)],
  ['a number', 1_767_225_600_000],
  ['text', 'yesterday'],
])('a time is refused when it is %s', (_title, time) => {
  const refusal = refusalOf(() => create('policy.approved', {}, { time } as EmitOptions))

  expect(refusal.problems).toEqual([
    {
      field: 'time',
      value: expect.stringMatching(/.+/),
      accepted: 'a Date or an RFC 3339 timestamp with an offset, in the years 0000 to 9999',
    },
  ])
  expect(refusal.problems[0]?.value).not.toBe('null')
})

test('all problems of an emit are reported together, with what is accepted', () => {
  const options = { id: 'a b', key: '', time: 'now', idempotencyKey: 'x' } as EmitOptions

  expect(refusalOf(() => create('a b', {}, options)).message).toBe(
    'emit("a b"): ' +
      'type "a b" is not accepted: expected names of letters, digits, "_" and "-" joined by dots, such as policy.approved; ' +
      'id "a b" is not accepted: expected 1 to 128 letters, digits and . _ : @ + = ~ -; ' +
      'key "" is not accepted: expected 1 to 200 characters, none of them a control character, " or \\; ' +
      'time "now" is not accepted: expected a Date or an RFC 3339 timestamp with an offset, in the years 0000 to 9999; ' +
      'idempotencyKey is not accepted: expected no option of this name',
  )
})

test('the workflow id parses back into type and id', () => {
  const id = workflowIdOf({ type: 'a'.repeat(100), id: 'x'.repeat(128) })

  expect(id.length).toBeLessThanOrEqual(255)
  expect(id.split('/')).toEqual(['a'.repeat(100), 'x'.repeat(128)])
})

function create(type: string, data: unknown, options: EmitOptions = {}): SyncEvent {
  return createEvent(type, data, options, DEFAULT_MAX_DATA_BYTES, () => NOW)
}
