import { expect, test } from 'vitest'
import { createEvent, DEFAULT_MAX_DATA_BYTES } from '../../src/domain/event.js'
import type { Json } from '../../src/domain/json.js'
import { refusalOf } from './problems.js'

const SHARED = { a: 1 }

class Policy {
  readonly #reviewer = 'private'
  readonly draft = undefined

  constructor(readonly title: string) {}

  get reviewer(): string {
    return this.#reviewer
  }
}

test.each([
  ['null', null, 'null'],
  ['false', false, 'false'],
  ['a string', 'No entry 🚑', '"No entry 🚑"'],
  ['an empty string', '', '""'],
  ['a number', -1.5e-7, '-1.5e-7'],
  ['an empty array', [], '[]'],
  ['nested values', { a: [1, { b: null }] }, '{"a":[1,{"b":null}]}'],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
  ['an instance: its own fields', new Policy('No entry'), '{"title":"No entry"}'],
  ['a Date: its timestamp', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ['an object’s own toJSON', { toJSON: () => ({ a: 1 }) }, '{"a":1}'],
  ['a Buffer: its own toJSON', Buffer.from('a'), '{"type":"Buffer","data":[97]}'],
  ['a lone surrogate', '\ud800', String.raw`"\ud800"`],
  ['a property that is undefined: left out', { a: undefined, b: 1 }, '{"b":1}'],
  ['an own key __proto__', JSON.parse('{"__proto__":{"a":1},"b":2}'), '{"__proto__":{"a":1},"b":2}'],
  ['the same object twice', [SHARED, SHARED], '[{"a":1},{"a":1}]'],
])('data are kept as JSON: %s', (_title, data, json) => {
  expect(JSON.stringify(dataOf(data))).toBe(json)
})

test('a key __proto__ changes no prototype', () => {
  const data = dataOf(JSON.parse('{"__proto__":{"admin":true}}')) as object

  expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
  expect('admin' in data).toBe(false)
})

test('toJSON is given the key, as JSON.stringify gives it', () => {
  const named = { toJSON: (key: string) => `key ${key}` }

  expect(dataOf({ a: named, b: [named] })).toEqual({ a: 'key a', b: ['key 0'] })
  expect(dataOf(named)).toBe('key ')
})

test.each<[title: string, data: unknown, field: string, value: string]>([
  ['undefined', undefined, 'data', 'undefined'],
  ['a function', { f: () => 1 }, 'data.f', '() => 1'],
  ['a symbol', [Symbol('s')], 'data[0]', 'Symbol(s)'],
  ['a BigInt', { a: { b: 10n } }, 'data.a.b', '10n'],
  ['NaN', { a: [0, Number.NaN] }, 'data.a[1]', 'NaN'],
  ['Infinity', Number.POSITIVE_INFINITY, 'data', 'Infinity'],
  ['-Infinity', [[Number.NEGATIVE_INFINITY]], 'data[0][0]', '-Infinity'],
  ['undefined in an array', [1, undefined], 'data[1]', 'undefined'],
  // oxlint-disable-next-line no-sparse-arrays
  ['a hole in an array', [1, , 3], 'data[1]', 'undefined'],
  ['a Map', { m: new Map([[1, 2]]) }, 'data.m', '(of class Map)'],
  ['a Set', new Set([1]), 'data', '(of class Set)'],
  ['a typed array', { bytes: new Uint8Array(2) }, 'data.bytes', '(of class Uint8Array)'],
  ['a clamped array', new Uint8ClampedArray(2), 'data', '(of class Uint8ClampedArray)'],
  ['a DataView', new DataView(new ArrayBuffer(1)), 'data', '(of class DataView)'],
  ['an ArrayBuffer', new ArrayBuffer(2), 'data', '(of class ArrayBuffer)'],
  ['a promise that nobody awaited', { policy: Promise.resolve(1) }, 'data.policy', '(of class Promise)'],
  ['an Error', { error: new TypeError('x') }, 'data.error', '(of class Error)'],
  ['a RegExp', /x/, 'data', '(of class RegExp)'],
  ['a boxed number', { n: Object(1) }, 'data.n', '(of class Number)'],
  ['an invalid Date', { at: new Date(Number.NaN) }, 'data.at', '(of class Date)'],
  ['a toJSON that gives nothing', { a: { toJSON: () => undefined } }, 'data.a', 'undefined'],
])('data are refused where they hold %s', (_title, data, field, value) => {
  expect(refusalOf(() => dataOf(data)).problems).toEqual([
    { field, value, accepted: expect.stringMatching(/.+/) },
  ])
})

test('a cycle is refused where it closes', () => {
  const policy: { parts: unknown[] } = { parts: [] }
  policy.parts.push(1, { of: policy })

  expect(refusalOf(() => dataOf(policy)).message).toBe(
    'emit("policy.approved"): data.parts[1].of (a cycle) is not accepted: expected data without cycles',
  )
})

test.each([
  [
    'a getter',
    {
      get title(): string {
        throw new Error('lost')
      },
    },
  ],
  [
    'a toJSON',
    {
      toJSON(): never {
        throw new Error('lost')
      },
    },
  ],
])('data whose %s throws are refused with its message', (_title, part) => {
  expect(refusalOf(() => dataOf({ parts: [part] })).problems).toEqual([
    { field: 'data.parts[0]', value: '(reading it threw: lost)', accepted: 'data that can be read' },
  ])
})

test('data may be 100 levels deep and no deeper', () => {
  expect(JSON.stringify(dataOf(nested(100)))).toBe('['.repeat(100) + ']'.repeat(100))

  const { problems } = refusalOf(() => dataOf(nested(101)))
  expect(problems).toMatchObject([{ value: '(nested deeper)', accepted: 'at most 100 levels' }])
  expect(refusalOf(() => dataOf(nested(100_000))).problems).toHaveLength(1)
})

test('data may be 256 KiB of JSON in UTF-8; the refusal says how much it was', () => {
  expect(dataOf('x'.repeat(256 * 1024 - 2))).toHaveLength(256 * 1024 - 2)

  expect(refusalOf(() => dataOf('x'.repeat(256 * 1024 - 1))).message).toBe(
    'emit("policy.approved"): data of 262145 bytes is not accepted: expected at most 262144 bytes of JSON',
  )
  expect(refusalOf(() => dataOf('é'.repeat(131_072))).problems).toMatchObject([{ value: 'of 262146 bytes' }])
})

test('the limit can be configured', () => {
  expect(dataOf('abc', 5)).toBe('abc')
  expect(refusalOf(() => dataOf('abcd', 5)).problems).toEqual([
    { field: 'data', value: 'of 6 bytes', accepted: 'at most 5 bytes of JSON' },
  ])
})

test('later changes to what was emitted have no effect', () => {
  const given = { at: new Date(0), steps: [{ done: false }] }
  const data = dataOf(given)

  given.at.setFullYear(2030)
  given.steps[0]!.done = true
  given.steps.push({ done: true })

  expect(data).toEqual({ at: '1970-01-01T00:00:00.000Z', steps: [{ done: false }] })
})

function dataOf(data: unknown, maxDataBytes = DEFAULT_MAX_DATA_BYTES): Json {
  return createEvent('policy.approved', data, {}, maxDataBytes).data
}

function nested(levels: number): unknown {
  let value: unknown[] = []
  for (let level = 1; level < levels; level++) value = [value]
  return value
}
