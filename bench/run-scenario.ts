import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { countsOf, runRepetition, type Repetition, type RepetitionOptions } from './repetition.js'
import type { RepetitionTask } from './repetition-process.js'
import type { CpuTimes } from './rig/cpu.js'
import { median, rounded, spread } from './rig/statistics.js'
import type { Scenario } from './scenario.js'

const PROGRAM = fileURLToPath(new URL('repetition-process.js', import.meta.url))
const DEFAULT_REPETITIONS = 3

/** How a scenario is run. */
export interface RunOptions extends RepetitionOptions {
  /** @default the scenario's own, else 3; 1 where `quick` */
  repetitions: number | undefined
  onProgress: (message: string) => void
  /** The folder for CPU profiles; a quick run makes none. */
  profileTo?: string | undefined
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

/** Runs a scenario as often as asked; a quick run stays in this process. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const { quick, onProgress } = options
  const times = options.repetitions ?? (quick ? 1 : (scenario.repetitions ?? DEFAULT_REPETITIONS))
  const repetitions: Repetition[] = []
  for (let time = 1; time <= times; time += 1) {
    onProgress(`${scenario.name}: repetition ${time} of ${times}`)
    const startedMs = performance.now()
    const repetition = await (quick ? runRepetition(scenario, options) : runInProcess(scenario, options))
    const seconds = Math.round((performance.now() - startedMs) / 1_000)
    onProgress(`${scenario.name}: ${summaryOf(repetition)}, in ${seconds} s`)
    repetitions.push(repetition)
  }
  return toResult(scenario.name, countsOf(scenario, options), repetitions)
}

async function runInProcess(
  { name }: Scenario,
  { quick, address, inMemory, profileTo }: RunOptions,
): Promise<Repetition> {
  const task: RepetitionTask = { scenario: name, options: { quick, address, inMemory } }
  const child = fork(PROGRAM, [JSON.stringify(task)], {
    execArgv: profileTo === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileTo}`],
    // Standard output is for the result.
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  let repetition: Repetition | undefined
  child.on('message', (message) => (repetition = message as Repetition))
  await once(child, 'close')
  if (repetition === undefined) {
    throw new Error(`${name}: its process ended with ${child.signalCode ?? child.exitCode}, see above`)
  }
  return repetition
}

function toResult(
  scenario: string,
  counts: Readonly<Record<string, number>>,
  repetitions: readonly Repetition[],
): ScenarioResult {
  const names = new Set(repetitions.flatMap(({ measures }) => Object.keys(measures)))
  const known = [...names]
    .map((name) => [name, defined(repetitions.map(({ measures }) => measures[name]))] as const)
    .filter(([, values]) => values.length > 0)
  const cpu = (part: keyof CpuTimes): number | undefined => {
    const used = defined(repetitions.map(({ cpuMsPerDelivery }) => cpuMsPerDelivery?.[part]))
    return used.length === 0 ? undefined : rounded(median(used))
  }
  const sum = (field: 'lost' | 'duplicates'): number =>
    repetitions.reduce((total, repetition) => total + repetition[field], 0)
  return {
    scenario,
    ...Object.fromEntries(known.map(([name, values]) => [name, rounded(median(values))])),
    lost: sum('lost'),
    duplicates: sum('duplicates'),
    problems: repetitions.flatMap(({ examples }) => examples),
    cpu_ms_per_delivery: { server: cpu('server'), worker: cpu('worker'), sink: cpu('sink') },
    repetitions: repetitions.length,
    spread: Object.fromEntries(known.map(([name, values]) => [name, roundedSpread(values)])),
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
