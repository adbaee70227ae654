import { InvalidInputError } from './errors.js'
import { showValue } from './parse-input.js'

/** A JSON value (RFC 8259). */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Deeper data are refused: parsers of other languages stop at about this depth. */
const MAX_DEPTH = 100

/** Built-in objects whose contents JSON would drop without a word, as `Object.prototype.toString` names them. */
const NOT_JSON =
  /^((Weak)?(Map|Set)|WeakRef|Promise|Error|RegExp|Date|Boolean|Number|String|BigInt|Symbol|DataView|(Shared)?ArrayBuffer|(Big)?(Int|Uint|Float)\d+(Clamped)?Array)$/

/**
 * Copies `data` as JSON and refuses what JSON would change or drop in silence. An object's `toJSON` is
 * honoured (a `Date` becomes its timestamp), and a property that is `undefined` is left out.
 * @throws {InvalidInputError} naming the path of the first value that is not JSON
 */
export function toJson(data: unknown, subject: string): Json {
  return copy(data, 'data', '', [])

  function copy(given: unknown, path: string, key: string, ancestors: readonly object[]): Json {
    try {
      return copyValue(toJsonOf(given, key), path, ancestors)
    } catch (error) {
      if (error instanceof InvalidInputError) throw error
      const thrown = error instanceof Error ? error.message : showValue(error)
      return refuse(path, `(reading it threw: ${thrown})`, 'data that can be read')
    }
  }

  function copyValue(value: unknown, path: string, ancestors: readonly object[]): Json {
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
    const builtIn = Object.prototype.toString.call(value).slice('[object '.length, -1)
    if (NOT_JSON.test(builtIn))
      return refuse(path, `(of class ${builtIn})`, 'a plain object or array in its place')
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    return Object.fromEntries(
      entries.map(([name, item]) => [name, copy(item, `${path}.${name}`, name, inside)]),
    )
  }

  function refuse(field: string, value: string, accepted: string): never {
    throw new InvalidInputError(subject, [{ field, value, accepted }])
  }
}

/** What the value's own `toJSON` makes of it; an invalid date would become `null`, and is left to be refused. */
function toJsonOf(value: unknown, key: string): unknown {
  if (!hasToJson(value) || (value instanceof Date && Number.isNaN(value.getTime()))) return value
  return value.toJSON(key)
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return (
    typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
  )
}
