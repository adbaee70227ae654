import type { SyncEvent } from './event.js'

/** The id of the one workflow that syncs this event. The type holds no `/`, so that it parses back. */
export function workflowIdOf({ type, id }: Pick<SyncEvent, 'type' | 'id'>): string {
  return `${type}/${id}`
}

/**
 * The event that a workflow delivers, or a part of which it does: `<type>/<id>`, `<type>/<id>/<part>`.
 * @returns undefined for any other workflow, such as a group
 */
export function eventOfWorkflow(workflowId: string): Pick<SyncEvent, 'type' | 'id'> | undefined {
  const [type = '', id] = workflowId.split('/')
  return id === undefined || isReserved(type) ? undefined : { type, id }
}

/** Whether a workflow delivers a part of an event only, as it has too many endpoints for one. */
export function isPart(workflowId: string): boolean {
  const [type = '', , part] = workflowId.split('/')
  return part !== undefined && !isReserved(type)
}

/** No event's type begins with it. */
function isReserved(type: string): boolean {
  return type.startsWith('external-sync.')
}
