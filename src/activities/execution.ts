import { activityInfo } from '@temporalio/activity'

/** A run of a workflow. */
export interface Execution {
  workflowId: string
  runId: string
}

/** The run for which the first attempts of this activity are made. */
export function currentExecution(): Execution {
  const { workflowExecution } = activityInfo()
  if (workflowExecution === undefined) throw new TypeError('first attempts are made for a workflow')
  return workflowExecution
}
