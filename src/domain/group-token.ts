import { createHash } from 'node:crypto'
import type { SyncEvent } from './event.js'
import { workflowIdOf } from './workflow-id.js'

/** The tokens of a group of {@link MAX_GROUP_EVENTS} fit into the 2 KiB that a search attribute takes. */
const TOKEN_LENGTH = 7

/** Events of one group at most. */
export const MAX_GROUP_EVENTS = 200

/**
 * By which the group of an event is found. Two events may have the same; in lower case, as Temporal on SQLite
 * does not tell cases apart. Not for workflow code.
 */
export function groupTokenOf(event: Pick<SyncEvent, 'type' | 'id'>): string {
  const digest = createHash('sha256').update(workflowIdOf(event)).digest()
  return digest.readBigUInt64BE().toString(36).padStart(13, '0').slice(-TOKEN_LENGTH)
}
