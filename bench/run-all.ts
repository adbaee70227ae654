import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { text } from 'node:stream/consumers'
import { toMarkdown, toTable, type ReportEntry } from './report.js'
import { describeEnvironment } from './rig/machine.js'
import { runScenario, type RunOptions, type ScenarioResult } from './run-scenario.js'
import type { Scenario } from './scenario.js'

const PROGRAM = fileURLToPath(new URL('run.ts', import.meta.url))
const RESULTS = fileURLToPath(new URL('results/', import.meta.url))

/**
 * Runs the scenarios one after the other, each in a process of its own so that none inherits another's memory,
 * prints the table, and keeps the report. A quick run takes one process for all, and keeps none.
 * @returns whether all ended without a loss or a duplicate
 */
export async function runAll(scenarios: readonly Scenario[], options: RunOptions): Promise<boolean> {
  const entries: ReportEntry[] = []
  for (const scenario of scenarios) {
    const result = await (options.quick ? runHere(scenario, options) : runInProcess(scenario, options))
    entries.push({ scenario, result })
  }
  process.stdout.write(`${toTable(entries)}\n`)
  const broken = entries.filter(({ result }) => result === undefined || !isCorrect(result))
  for (const { scenario, result } of broken) {
    const problems = result?.problems.join('; ') ?? 'broke down, see above'
    process.stdout.write(`${scenario.name} FAILED: ${problems}\n`)
  }
  if (!options.quick) await writeReport(entries, options)
  return broken.length === 0
}

/** Whether nothing was lost and nothing doubled. */
export function isCorrect({ lost, duplicates }: ScenarioResult): boolean {
  return lost === 0 && duplicates === 0
}

/** @returns undefined where it broke down */
async function runHere(scenario: Scenario, options: RunOptions): Promise<ScenarioResult | undefined> {
  try {
    return await runScenario(scenario, options)
  } catch (error) {
    process.stderr.write(`${scenario.name}: ${inspect(error)}\n`)
    return undefined
  }
}

/** @returns undefined where it broke down */
async function runInProcess(scenario: Scenario, options: RunOptions): Promise<ScenarioResult | undefined> {
  const { quick, repetitions, address, inMemory } = options
  const args = [
    PROGRAM,
    '--scenario',
    scenario.name,
    '--json',
    ...(quick ? ['--quick'] : []),
    ...(repetitions === undefined ? [] : ['--repetitions', String(repetitions)]),
    ...(address === undefined ? [] : ['--address', address]),
    ...(inMemory === true ? ['--memory'] : []),
  ]
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = (): void => void child.kill()
  process.once('exit', stop)
  const output = await text(child.stdout)
  process.off('exit', stop)
  const lastLine = output.trim().split('\n').at(-1) ?? ''
  return lastLine.startsWith('{') ? (JSON.parse(lastLine) as ScenarioResult) : undefined
}

async function writeReport(entries: readonly ReportEntry[], options: RunOptions): Promise<void> {
  const date = new Date().toISOString().slice(0, 10)
  const environment = await describeEnvironment()
  const server = describeServer(options)
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${RESULTS}${date}.md`, toMarkdown({ date, environment, server, entries }))
  const results = entries.map(({ scenario, result }) => result ?? { scenario: scenario.name, broken: true })
  writeFileSync(
    `${RESULTS}${date}.json`,
    `${JSON.stringify({ date, environment, server, results }, null, 2)}\n`,
  )
  process.stdout.write(`written to bench/results/${date}.md and ${date}.json\n`)
}

function describeServer({ address, inMemory = false }: RunOptions): string {
  if (address !== undefined) return `given, at ${address}`
  if (inMemory) return 'dev server in memory, a new one for each repetition'
  return 'dev server on an SQLite file (WAL, synchronous=FULL), a new one for each repetition'
}
