import type { SyncEvent } from './event.js'
import { REPLAY_ID_PREFIX } from './replay.js'
import { isReserved } from './reserved-types.js'

/** The id of the one workflow that syncs this event. The type holds no `/`, so that it parses back. */
export function workflowIdOf({ type, id }: Pick<SyncEvent, 'type' | 'id'>): string {
  return `${type}/${id}`
}

/**
 * The event that a workflow delivers, or a part of which it does: `<type>/<id>`, `<type>/<id>/<part>`, or for a
 * replay `external-sync.replay/<replay>/<type>/<id>`.
 * @returns undefined for any other workflow, such as a group
 */
export function eventOfWorkflow(workflowId: string): Pick<SyncEvent, 'type' | 'id'> | undefined {
  const replayed = replayedPath(workflowId)
  const [type = '', id] = replayed ?? workflowId.split('/')
  return id === undefined || isReserved(type) ? undefined : { type, id }
}

/**
 * Whether a workflow delivers a part of an event only: it has too many endpoints for one, or a replay sends it again.
 */
export function isPart(workflowId: string): boolean {
  if (replayedPath(workflowId) !== undefined) return true
  const [type = '', , part] = workflowId.split('/')
  return part !== undefined && !isReserved(type)
}

/** What a replay has sent, in the parts of its id. */
function replayedPath(workflowId: string): string[] | undefined {
  if (!workflowId.startsWith(REPLAY_ID_PREFIX)) return undefined
  const [, ...path] = workflowId.slice(REPLAY_ID_PREFIX.length).split('/')
  return path.length === 0 ? undefined : path
}
