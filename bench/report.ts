import type { Environment } from './rig/machine.js'
import type { ScenarioResult } from './run-scenario.js'
import type { Bar, Scenario } from './scenario.js'

/** A scenario with what it came to; without a result where it broke down. */
export interface ReportEntry {
  scenario: Scenario
  result: ScenarioResult | undefined
}

/** What a report is made of. */
export interface Report {
  /** RFC 3339, the day only. */
  date: string
  environment: Environment
  /** What the server keeps its data on. */
  server: string
  entries: readonly ReportEntry[]
}

const HEAD = ['scenario', 'measure', 'median', 'min–max', 'bar', 'reached'] as const

/** The report as Markdown: every ratio with its bar, every other measure, CPU, growth, machine and settings. */
export function toMarkdown({ date, environment, server, entries }: Report): string {
  const scenarios = entries.filter(({ scenario }) => scenario.name !== 'growth')
  const growth = entries.find(({ scenario }) => scenario.name === 'growth')?.result
  return [
    `# Bench of ${date}`,
    '',
    ...environmentLines(environment, server, entries),
    '',
    '## Measures and bars',
    '',
    ...tableOf(HEAD, scenarios.flatMap(measureRows)),
    '',
    '## Correctness and CPU time',
    '',
    ...tableOf(
      [
        'scenario',
        'lost',
        'duplicates',
        'server, ms per delivery',
        'emitter and worker',
        'sink',
        'repetitions',
        'counts',
      ],
      scenarios.map(costRow),
    ),
    ...(growth === undefined ? [] : ['', '## Growth', '', ...growthTable(growth)]),
    ...noteLines(entries),
    '',
  ].join('\n')
}

/** The table of measures and bars for a terminal. */
export function toTable(entries: readonly ReportEntry[]): string {
  return tableOf(HEAD, entries.flatMap(measureRows)).join('\n')
}

function environmentLines(
  { cpu, cores, memoryGib, system, fileSystem, ...versions }: Environment,
  server: string,
  entries: readonly ReportEntry[],
): string[] {
  const serverVersion = entries.find(({ result }) => result !== undefined)?.result?.server_version
  return [
    `- Machine: ${cpu}, ${cores} cores, ${memoryGib} GiB; ${system}; data on ${fileSystem}`,
    `- Versions: Node ${versions.node}, Temporal SDK ${versions.temporalSdk}, server ${serverVersion}, CLI "${versions.temporalCli}"`,
    `- Server: ${server}`,
    '- Emitters and worker in one process on one connection; the sink in another; all on this machine.',
  ]
}

function measureRows({ scenario, result }: ReportEntry): string[][] {
  if (result === undefined) return [[scenario.name, 'broke down', '', '', '', '**no**']]
  return Object.entries(result.spread).map(([field, [min, max]]) => {
    const bar = scenario.bars.find((candidate) => candidate.field === field)
    const value = Number(result[field])
    const reached = bar === undefined ? '' : isReached(bar, value) ? 'yes' : '**no**'
    return [scenario.name, field, String(value), `${min}–${max}`, bar === undefined ? '' : show(bar), reached]
  })
}

function costRow({ scenario, result }: ReportEntry): string[] {
  if (result === undefined) return [scenario.name, ...Array<string>(7).fill('')]
  const { lost, duplicates, cpu_ms_per_delivery: cpu, repetitions, counts } = result
  const times = [cpu.server, cpu.worker, cpu.sink].map((ms) => (ms === undefined ? '–' : String(ms)))
  const used = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return [scenario.name, String(lost), String(duplicates), ...times, String(repetitions), used.join(', ')]
}

function growthTable(result: ScenarioResult): string[] {
  const suffix = '_events_per_s'
  const points = Object.keys(result.spread)
    .filter((field) => field.endsWith(suffix))
    .map((field) => field.slice(0, -suffix.length))
  const fields = ['events_per_s', 'deliveries_per_s', 'server_cpu_ms', 'worker_cpu_ms']
  return tableOf(
    ['what', 'how many', 'events/s', 'deliveries/s', 'server CPU, ms per delivery', 'emitter and worker CPU'],
    points.map((point) => {
      const [what = '', howMany = ''] = point.split('_')
      return [
        GROWTH_NAMES[what] ?? what,
        howMany,
        ...fields.map((field) => numberCell(result[`${point}_${field}`])),
      ]
    }),
  )
}

const GROWTH_NAMES: Readonly<Record<string, string>> = {
  endpoints: 'endpoints that get each event',
  kib: 'KiB of data',
  others: 'other registered endpoints',
}

function noteLines(entries: readonly ReportEntry[]): string[] {
  const notes = entries.flatMap(({ scenario, result }) =>
    [...(result?.notes ?? []), ...(result?.problems ?? [])].map((note) => `- ${scenario.name}: ${note}`),
  )
  return notes.length === 0 ? [] : ['', '## Notes', '', ...notes]
}

function numberCell(value: unknown): string {
  return typeof value === 'number' ? String(value) : '–'
}

function isReached(bar: Bar, value: number): boolean {
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost
}

function show(bar: Bar): string {
  return 'atLeast' in bar ? `≥ ${bar.atLeast}` : `≤ ${bar.atMost}`
}

/** A Markdown table whose columns are as wide as their widest cell. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}
