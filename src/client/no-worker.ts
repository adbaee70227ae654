import { SyncError } from '../domain/errors.js'

/** No worker is there to say where an event stands. */
export function noWorker(workflowId: string, cause: unknown): SyncError {
  return new SyncError(
    'NO_WORKER',
    `no worker answered for event ${workflowId}; the event is safe in Temporal: ` +
      'start a worker with `npx external-sync worker`',
    { cause },
  )
}
