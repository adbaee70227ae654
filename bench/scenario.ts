import type { CpuTimes } from './rig/cpu.js'
import type { Trial } from './rig/trial.js'

/** Measured values by the names of their JSON fields; undefined where this machine or server does not tell. */
export type Measures = Readonly<Record<string, number | undefined>>

/** What one repetition of a scenario measured. */
export interface Measurement {
  measures: Measures
  /** CPU time for each delivery of the part that is measured, in milliseconds. */
  cpuMsPerDelivery?: CpuTimes
  /** What a reader of the numbers must know, such as that a state was not reached in time. */
  notes?: readonly string[]
}

/** What a measure must reach. */
export type Bar = { field: string } & ({ atLeast: number } | { atMost: number })

/** Something that is measured, by itself on a server of its own. */
export interface Scenario {
  /** As `--scenario` takes it. */
  readonly name: string
  /** One line for the report. */
  readonly description: string
  readonly bars: readonly Bar[]
  /** Whether events go in groups under load. @default off */
  readonly grouping?: 'off' | 'auto'
  /** How much of what. */
  readonly counts: Readonly<Record<string, number>>
  /** The same for `--quick`. */
  readonly quickCounts: Readonly<Record<string, number>>
  /** How often it is repeated unless the command line says so. @default 3 */
  readonly repetitions?: number
  measure(trial: Trial, counts: Readonly<Record<string, number>>): Promise<Measurement>
}

/** A scenario whose `measure` knows the names of its counts. */
export interface ScenarioDefinition<Count extends string> extends Scenario {
  readonly counts: Readonly<Record<Count, number>>
  readonly quickCounts: Readonly<Record<Count, number>>
  measure(trial: Trial, counts: Readonly<Record<Count, number>>): Promise<Measurement>
}

/** Checks a definition against itself. */
export function defineScenario<Count extends string>(definition: ScenarioDefinition<Count>): Scenario {
  return definition
}
