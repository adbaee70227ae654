/** What was done about one thing that has to be there. */
export interface SetupStep {
  /** Such as `search attribute SyncEventKey`. */
  thing: string
  done: 'created' | 'there already' | 'changed'
  /** What somebody should know about it. */
  warning?: string
}

/** Gets each step as soon as it is done. */
export type ReportStep = (step: SetupStep) => void
