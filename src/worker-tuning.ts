import type { WorkerOptions } from '@temporalio/worker'

/** How a worker uses its process; bench/NOTES.md has what each was measured to do. */
export const WORKER_TUNING = {
  // An eager start needs a free slot, else its workflow task goes the long way through the server's queue. With
  // many more, tasks queue in the worker until the server takes them for lost.
  maxConcurrentWorkflowTaskExecutions: 100,
  maxConcurrentLocalActivityExecutions: 400,
  // What hangs on one endpoint takes no more than its share of these.
  maxConcurrentActivityTaskExecutions: 500,
} as const satisfies Partial<WorkerOptions>
