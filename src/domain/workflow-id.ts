import type { SyncEvent } from './event.js'

/** The id of the one workflow that syncs this event. The type holds no `/`, so that it parses back. */
export function workflowIdOf({ type, id }: Pick<SyncEvent, 'type' | 'id'>): string {
  return `${type}/${id}`
}
