import type { TemporalChoice } from './rig/temporal.js'
import { openTrial } from './rig/trial.js'
import type { Measurement, Scenario } from './scenario.js'

/** Until V8 has compiled what events need: a worker takes 9 ms of CPU for one at first, 7.6 later. */
const WARM_UP_COUNT = 500
const QUICK_WARM_UP_COUNT = 10

/** How a repetition is run. */
export interface RepetitionOptions extends TemporalChoice {
  /** Small counts, for correctness only. */
  quick: boolean
}

/** What came of it. */
export interface Repetition extends Measurement {
  lost: number
  duplicates: number
  /** Which deliveries were lost or doubled, some of them. */
  examples: string[]
  serverVersion: string
}

/** How much of what a scenario runs. */
export function countsOf(
  scenario: Scenario,
  { quick }: Pick<RepetitionOptions, 'quick'>,
): Readonly<Record<string, number>> {
  return quick ? scenario.quickCounts : scenario.counts
}

/** Measures a scenario once, in this process, with a server, data, sink and system of its own. */
export async function runRepetition(scenario: Scenario, options: RepetitionOptions): Promise<Repetition> {
  const { quick, ...choice } = options
  await using trial = await openTrial({
    ...choice,
    grouping: scenario.grouping,
    warmUpCount: quick ? QUICK_WARM_UP_COUNT : WARM_UP_COUNT,
  })
  const { serverVersion } = await trial.system.client.workflowService.getSystemInfo({})
  const measurement = await scenario.measure(trial, countsOf(scenario, options))
  return { ...measurement, ...(await trial.audit()), serverVersion }
}
