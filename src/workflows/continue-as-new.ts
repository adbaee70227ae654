import { workflowInfo } from '@temporalio/workflow'

/** Servers that never suggest to continue as new still get a bounded history. */
const MAX_HISTORY_EVENTS = 8_000

/** Whether the history is so long that the workflow must go on in a new execution. */
export function mustContinueAsNew(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo()
  return continueAsNewSuggested || historyLength >= MAX_HISTORY_EVENTS
}
