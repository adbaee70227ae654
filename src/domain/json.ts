import { InvalidInputError } from './errors.js'
import { showValue } from './parse-input.js'

/** A JSON value (RFC 8259). */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Deeper data are refused: parsers of other languages stop at about this depth. */
const MAX_DEPTH = 100

/**
 * Copies `data` as JSON and refuses what JSON would change or drop in silence. An object's `toJSON` is
 * honoured (a `Date` becomes its timestamp), and a property that is `undefined` is left out.
 * @throws {InvalidInputError} naming the path of the first value that is not JSON
 */
export function toJson(data: unknown, subject: string): Json {
  return copy(data, 'data', '', [])

  function copy(given: unknown, path: string, key: string, ancestors: readonly object[]): Json {
    const value = hasToJson(given) ? given.toJSON(key) : given
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        if (Number.isFinite(value)) return value
        return refuse(path, String(value), 'a finite number')
      case 'object':
        if (value === null) return null
        return copyObject(value, path, ancestors)
      case 'bigint':
      case 'function':
      case 'symbol':
      case 'undefined':
        return refuse(path, showValue(value), 'JSON: null, booleans, numbers, strings, arrays and objects')
    }
  }

  function copyObject(value: object, path: string, ancestors: readonly object[]): Json {
    if (ancestors.includes(value)) return refuse(path, '(a cycle)', 'data without cycles')
    if (ancestors.length >= MAX_DEPTH) return refuse(path, '(nested deeper)', `at most ${MAX_DEPTH} levels`)
    const inside = [...ancestors, value]
    if (Array.isArray(value)) {
      return Array.from(value, (item, index) => copy(item, `${path}[${index}]`, String(index), inside))
    }
    if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
      return refuse(path, `(a ${value.constructor.name})`, 'a plain object or array in its place')
    }
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    return Object.fromEntries(
      entries.map(([name, item]) => [name, copy(item, `${path}.${name}`, name, inside)]),
    )
  }

  function refuse(field: string, value: string, accepted: string): never {
    throw new InvalidInputError(subject, [{ field, value, accepted }])
  }
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return (
    typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
  )
}
