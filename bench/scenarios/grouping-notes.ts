import type { Trial } from '../rig/trial.js'

/** Says where this version could not do what a scenario is about. */
export function groupingNotes({ system }: Trial): string[] {
  return system.canGroup ? [] : ['this version has no grouping: each event was a workflow of its own']
}
