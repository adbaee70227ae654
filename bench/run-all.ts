import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { toMarkdown, toTable, type ReportEntry } from './report.js'
import { describeEnvironment } from './rig/machine.js'
import { runScenario, type RunOptions, type ScenarioResult } from './run-scenario.js'
import type { Scenario } from './scenario.js'

const RESULTS = fileURLToPath(new URL('../bench/results/', import.meta.url))

/**
 * Runs the scenarios one after the other, prints the table, and keeps the report unless the run is a quick one.
 * @param suffix of the report's name, for a run of a part
 * @returns whether all ended without a loss or a duplicate
 */
export async function runAll(
  scenarios: readonly Scenario[],
  options: RunOptions,
  suffix = '',
): Promise<boolean> {
  const entries: ReportEntry[] = []
  for (const scenario of scenarios) entries.push({ scenario, result: await tryScenario(scenario, options) })
  process.stdout.write(`${toTable(entries)}\n`)
  const broken = entries.filter(({ result }) => result === undefined || !isCorrect(result))
  for (const { scenario, result } of broken) {
    const problems = result?.problems.join('; ') ?? 'broke down, see above'
    process.stdout.write(`${scenario.name} FAILED: ${problems}\n`)
  }
  if (!options.quick) await writeReport(entries, options, suffix)
  return broken.length === 0
}

/** Whether nothing was lost and nothing doubled. */
export function isCorrect({ lost, duplicates }: ScenarioResult): boolean {
  return lost === 0 && duplicates === 0
}

/** @returns undefined where it broke down */
async function tryScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult | undefined> {
  try {
    return await runScenario(scenario, options)
  } catch (error) {
    options.onProgress(`${scenario.name}: ${inspect(error)}`)
    return undefined
  }
}

async function writeReport(
  entries: readonly ReportEntry[],
  options: RunOptions,
  suffix: string,
): Promise<void> {
  const date = new Date().toISOString().slice(0, 10)
  const environment = await describeEnvironment()
  const server = describeServer(options)
  const name = `${date}${suffix}`
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${RESULTS}${name}.md`, toMarkdown({ date, environment, server, entries }))
  const results = entries.map(({ scenario, result }) => result ?? { scenario: scenario.name, broken: true })
  writeFileSync(
    `${RESULTS}${name}.json`,
    `${JSON.stringify({ date, environment, server, results }, null, 2)}\n`,
  )
  process.stdout.write(`written to bench/results/${name}.md and ${name}.json\n`)
}

function describeServer({ address, inMemory = false }: RunOptions): string {
  if (address !== undefined) return `given, at ${address}`
  if (inMemory) return 'dev server in memory, a new one for each repetition'
  return 'dev server on an SQLite file (WAL, synchronous=FULL), a new one for each repetition'
}
