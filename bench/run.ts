/**
 * `npm run bench`: measures the system against what Temporal itself costs, on real parts of this machine. See
 * bench/README.md.
 */
import { Command, Option } from 'commander'
import { parseCount } from '../dist/cli/option-values.js'
import { prepareProcess } from './rig/runtime.js'
import { toTable } from './report.js'
import { isCorrect, runAll } from './run-all.js'
import { runScenario, type RunOptions } from './run-scenario.js'
import type { Scenario } from './scenario.js'
import { GROWTH, SCENARIOS } from './scenarios.js'

const ALL = [...SCENARIOS, GROWTH]

interface Flags {
  scenario?: string
  json: boolean
  quick: boolean
  growth: boolean
  repetitions?: number
  address?: string
  memory: boolean
  cpuProf?: string
}

const flags = new Command('npm run bench --')
  .description('Measures throughput, latency and cost, each as a ratio to a workflow that does nothing')
  .addOption(new Option('--scenario <name>', 'run this one only').choices(ALL.map(({ name }) => name)))
  .option('--json', 'with --scenario: print one JSON object on the last line', false)
  .option('--growth', 'run the growth table only', false)
  .option('--quick', 'small counts, to check that nothing is lost or doubled; keeps no report', false)
  .option(
    '--repetitions <count>',
    'how often each scenario is run (default: 3; soak and growth: 1)',
    parseCount,
  )
  .addOption(
    new Option(
      '--address <host:port>',
      'use this Temporal server, set up with `external-sync setup` (default: an own dev server on a file)',
    ).conflicts('memory'),
  )
  .option('--memory', 'let the own dev server keep everything in memory', false)
  .addOption(
    new Option(
      '--cpu-prof <folder>',
      "write CPU profiles of the measured process's threads there, warm-up included",
    ).conflicts('quick'),
  )
  .parse()
  .opts<Flags>()

// A full run measures in processes of its own, and Temporal's runtime would keep this one alive.
if (flags.quick) prepareProcess()
const options: RunOptions = {
  quick: flags.quick,
  repetitions: flags.repetitions,
  address: flags.address,
  inMemory: flags.memory,
  profileTo: flags.cpuProf,
  onProgress: (message) => process.stderr.write(`${message}\n`),
}
const only = ALL.find(({ name }) => name === flags.scenario)
const succeeded = await (only === undefined ? runSeveral() : runOne(only))
process.exitCode = succeeded ? 0 : 1

function runSeveral(): Promise<boolean> {
  if (flags.growth) return runAll([GROWTH], options, '-growth')
  return runAll(flags.quick ? SCENARIOS : ALL, options)
}

async function runOne(scenario: Scenario): Promise<boolean> {
  const result = await runScenario(scenario, options)
  for (const problem of result.problems) process.stderr.write(`${scenario.name}: ${problem}\n`)
  process.stdout.write(`${flags.json ? JSON.stringify(result) : toTable([{ scenario, result }])}\n`)
  return isCorrect(result)
}
