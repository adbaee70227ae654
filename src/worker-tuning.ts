import type { WorkerOptions } from '@temporalio/worker'

/** How a worker uses its process; bench/NOTES.md has what each was measured to do. */
export const WORKER_TUNING = {
  // An eager start needs a free slot, else its workflow task goes the long way through the server's queue. With
  // many more, tasks queue in the worker until the server takes them for lost.
  maxConcurrentWorkflowTaskExecutions: 100,
  // What was not started eagerly is polled for, and the server answers each poll only when it has written that the
  // task has begun: two polls for new workflows, the default, bring some seven a second on one SQLite file.
  maxConcurrentWorkflowTaskPolls: 20,
  // Most workflows end with their first task, which no sticky queue has.
  nonStickyToStickyPollRatio: 0.5,
  maxConcurrentLocalActivityExecutions: 400,
  // What hangs on one endpoint takes no more than its share of these.
  maxConcurrentActivityTaskExecutions: 500,
} as const satisfies Partial<WorkerOptions>
