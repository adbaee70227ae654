import type { WorkerOptions } from '@temporalio/worker'

/** How a worker uses its process; bench/NOTES.md has what each was measured to do. */
export const WORKER_TUNING = {
  // An eager start needs a free slot, else its workflow task goes the long way through the server's queue. With
  // many more, tasks queue in the worker until the server takes them for lost.
  maxConcurrentWorkflowTaskExecutions: 200,
  // A poll that gets a task waits in the server's line for the database, with all that the emitters ask of it: two
  // polls for new workflows, the default, bring some seven a second where each waits 300 ms.
  maxConcurrentWorkflowTaskPolls: 20,
  // Most workflows end with their first task, which no sticky queue has.
  nonStickyToStickyPollRatio: 0.5,
  maxConcurrentLocalActivityExecutions: 400,
  // What hangs on one endpoint takes no more than its share of these.
  maxConcurrentActivityTaskExecutions: 500,
} as const satisfies Partial<WorkerOptions>
