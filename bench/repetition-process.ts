/** Runs one repetition in a process of its own, so that none inherits another's memory. */
import { runRepetition, type RepetitionOptions } from './repetition.js'
import { prepareProcess } from './rig/runtime.js'
import { findScenario } from './scenarios.js'

/** What the process is told at its start, as JSON in its only argument. */
export interface RepetitionTask {
  scenario: string
  options: RepetitionOptions
}

prepareProcess()
process.on('disconnect', () => process.exit(1))
const { scenario, options } = JSON.parse(process.argv[2] ?? '') as RepetitionTask
const repetition = await runRepetition(findScenario(scenario), options)
process.send?.(repetition, () => process.exit(0))
