import { isDeepStrictEqual } from 'node:util'
import type { EndpointSettings } from '../domain/endpoint.js'

/** The settings that differ, those of an object by their own names, such as `retry.slowIntervalMs`. */
export function changedFields(before: EndpointSettings, after: EndpointSettings): string[] {
  return differences(before, after).flatMap((field) => {
    const [one, other] = [valueOf(before, field), valueOf(after, field)]
    if (!isPlainObject(one) || !isPlainObject(other)) return field
    return differences(one, other).map((inner) => `${field}.${inner}`)
  })
}

function differences(before: object, after: object): string[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...fields].filter((field) => !isDeepStrictEqual(valueOf(before, field), valueOf(after, field)))
}

function valueOf(object: object, field: string): unknown {
  return (object as Record<string, unknown>)[field]
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
