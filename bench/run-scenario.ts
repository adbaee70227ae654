import type { CpuTimes } from './rig/cpu.js'
import { median, rounded, spread } from './rig/statistics.js'
import type { TemporalChoice } from './rig/temporal.js'
import { openTrial, type Trial } from './rig/trial.js'
import type { Measurement, Scenario } from './scenario.js'

const DEFAULT_REPETITIONS = 3
const WARM_UP_COUNT = 100
const QUICK_WARM_UP_COUNT = 10

/** How a scenario is run. */
export interface RunOptions extends TemporalChoice {
  /** Small counts, for correctness only. */
  quick: boolean
  /** @default the scenario's own, else 3; 1 where `quick` */
  repetitions: number | undefined
  onProgress: (message: string) => void
}

/** What is printed and kept of a scenario; the measures are further fields by their own names, medians. */
export interface ScenarioResult {
  scenario: string
  lost: number
  duplicates: number
  /** Which deliveries were lost or doubled, some of them. */
  problems: string[]
  cpu_ms_per_delivery: CpuTimes
  repetitions: number
  /** Smallest and largest by the name of the measure. */
  spread: Record<string, [min: number, max: number]>
  counts: Readonly<Record<string, number>>
  notes: string[]
  server_version: string
  [measure: string]: unknown
}

interface Repetition extends Measurement {
  lost: number
  duplicates: number
  examples: string[]
  serverVersion: string
}

/** Runs a scenario as often as asked, each time with a server, data, sink and system of its own. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const counts = options.quick ? scenario.quickCounts : scenario.counts
  const times = options.repetitions ?? (options.quick ? 1 : (scenario.repetitions ?? DEFAULT_REPETITIONS))
  const repetitions: Repetition[] = []
  for (let time = 1; time <= times; time += 1) {
    options.onProgress(`${scenario.name}: repetition ${time} of ${times}`)
    const startedMs = performance.now()
    const repetition = await runOnce(scenario, counts, options)
    const seconds = Math.round((performance.now() - startedMs) / 1_000)
    options.onProgress(`${scenario.name}: ${summaryOf(repetition)}, in ${seconds} s`)
    repetitions.push(repetition)
  }
  return toResult(scenario.name, counts, repetitions)
}

async function runOnce(
  scenario: Scenario,
  counts: Readonly<Record<string, number>>,
  { quick, ...choice }: RunOptions,
): Promise<Repetition> {
  await using trial = await openTrial({ ...choice, warmUpCount: quick ? QUICK_WARM_UP_COUNT : WARM_UP_COUNT })
  const serverVersion = await serverVersionOf(trial)
  const measurement = await scenario.measure(trial, counts)
  return { ...measurement, ...(await trial.audit()), serverVersion }
}

async function serverVersionOf({ system }: Trial): Promise<string> {
  return (await system.client.workflowService.getSystemInfo({})).serverVersion
}

function toResult(
  scenario: string,
  counts: Readonly<Record<string, number>>,
  repetitions: readonly Repetition[],
): ScenarioResult {
  const names = new Set(repetitions.flatMap(({ measures }) => Object.keys(measures)))
  const values = [...names].map(
    (name) => [name, defined(repetitions.map(({ measures }) => measures[name]))] as const,
  )
  const known = values.filter(([, measured]) => measured.length > 0)
  const cpu = (part: keyof CpuTimes): number | undefined => {
    const used = defined(repetitions.map(({ cpuMsPerDelivery }) => cpuMsPerDelivery?.[part]))
    return used.length === 0 ? undefined : rounded(median(used))
  }
  const sum = (field: 'lost' | 'duplicates'): number =>
    repetitions.reduce((total, repetition) => total + repetition[field], 0)
  return {
    scenario,
    ...Object.fromEntries(known.map(([name, measured]) => [name, rounded(median(measured))])),
    lost: sum('lost'),
    duplicates: sum('duplicates'),
    problems: repetitions.flatMap(({ examples }) => examples),
    cpu_ms_per_delivery: { server: cpu('server'), worker: cpu('worker'), sink: cpu('sink') },
    repetitions: repetitions.length,
    spread: Object.fromEntries(known.map(([name, measured]) => [name, roundedSpread(measured)])),
    counts,
    notes: [...new Set(repetitions.flatMap(({ notes = [] }) => notes))],
    server_version: repetitions[0]?.serverVersion ?? '',
  }
}

function roundedSpread(values: readonly number[]): [min: number, max: number] {
  const [min, max] = spread(values)
  return [rounded(min), rounded(max)]
}

function defined(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined)
}

function summaryOf({ measures, lost, duplicates, notes = [] }: Repetition): string {
  const shown = Object.entries(measures).map(
    ([name, value]) => `${name} ${value === undefined ? '–' : rounded(value)}`,
  )
  return [...shown, `lost ${lost}`, `duplicates ${duplicates}`, ...notes].join(', ')
}
