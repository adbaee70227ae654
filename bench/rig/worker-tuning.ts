import type { WorkerOptions } from '@temporalio/worker'

/**
 * What the floor's worker is tuned with: the same as the worker of src/worker.ts, which so far leaves all to the
 * SDK's defaults.
 */
export const FLOOR_WORKER_TUNING: Partial<WorkerOptions> = {}
