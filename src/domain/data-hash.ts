import { createHash } from 'node:crypto'
import { stringify } from 'safe-stable-stringify'
import type { Json } from './json.js'

/** Memo field of an event's workflow that tells the same event from another one with its id. */
export const DATA_HASH = 'dataHash'

/** Equal for equal data, whatever the order of their fields. Not for workflow code. */
export function hashOf(data: Json): string {
  return `sha256:${createHash('sha256').update(stringify(data)).digest('hex')}`
}
