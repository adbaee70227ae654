import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { measureFloor, measureIdleFloor } from './floor.js'
import { startSink, type Sink } from './sink.js'
import type { Audit, Expectation } from './sink-messages.js'
import { startSystem, type System } from './system.js'
import { openTemporal, type Temporal, type TemporalChoice } from './temporal.js'

const SETTLED_WITHIN_MS = 60_000
const LOOK_INTERVAL_MS = 250

/** One repetition of a scenario: server, data folder, sink and system are its own. */
export interface Trial extends AsyncDisposable {
  readonly temporal: Temporal
  readonly system: System
  readonly sink: Sink
  /** The port of the sink's listener that answers. */
  readonly port: number
  /** How many workflows or events are run before a measurement, to warm up. */
  readonly warmUpCount: number
  /** Workflows that do nothing per second, on this server, beside this system. */
  floorPerS(options: { workflows: number; concurrency: number }): Promise<number>
  /** A workflow that does nothing, from start to result, one at a time; the median in milliseconds. */
  floorIdleMs(workflows: number): Promise<number>
  /** Counts up, for names that nothing else in this trial has. */
  nextNumber(): number
  /** A phase that no other trial has; `name` is for whoever reads what was lost. */
  nextPhase(name: string): string
  /** Notes what must have been delivered at the end. */
  expect(expectation: Expectation): void
  /** Notes that so many events, each a workflow, must still wait at the end. */
  expectOpen(events: number): void
  /** Waits, within bounds, until no other workflow runs. @returns how many run */
  settle(): Promise<number>
  /** Waits until no other workflow of the system is left to run, then compares the sink with what was expected. */
  audit(): Promise<Audit>
}

/** What a trial is opened with. */
export interface TrialOptions extends TemporalChoice {
  warmUpCount: number
  /** Whether events go in groups under load. @default off */
  grouping?: 'off' | 'auto' | undefined
}

/** Starts everything that a repetition needs. */
export async function openTrial(choice: TrialOptions): Promise<Trial> {
  const opened: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (let end = opened.pop(); end !== undefined; end = opened.pop()) await end()
  }
  try {
    return { ...(await openParts(choice, opened)), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Opens one part after the other and notes in `opened` how each is closed. */
async function openParts(
  { warmUpCount, grouping = 'off', ...choice }: TrialOptions,
  opened: (() => Promise<unknown>)[],
): Promise<Omit<Trial, typeof Symbol.asyncDispose>> {
  const use = <T extends AsyncDisposable>(part: T): T => {
    opened.push(async () => part[Symbol.asyncDispose]())
    return part
  }
  const folder = await mkdtemp(join(tmpdir(), 'external-sync-bench-'))
  const removal = { recursive: true, force: true, maxRetries: 10 }
  const removeAtExit = (): void => rmSync(folder, removal)
  process.on('exit', removeAtExit)
  let isKept = false
  opened.push(async () => {
    process.off('exit', removeAtExit)
    if (isKept) process.stderr.write(`the data and logs of the failed repetition are kept in ${folder}\n`)
    else await rm(folder, removal)
  })
  const temporal = use(await openTemporal(choice, folder))
  const sink = use(await startSink())
  const system = use(await startSystem(temporal, folder, grouping))
  const port = await sink.listen()

  const runId = randomUUID().slice(0, 8)
  const expectations: Expectation[] = []
  let leftOpen = 0
  let lastNumber = 0
  const nextNumber = (): number => {
    lastNumber += 1
    return lastNumber
  }
  return {
    temporal,
    system,
    sink,
    port,
    warmUpCount,
    floorPerS: (options) => measureFloor(system, { ...options, warmUp: warmUpCount }),
    floorIdleMs: (workflows) => measureIdleFloor(system, { workflows, warmUp: warmUpCount }),
    nextNumber,
    nextPhase: (name) => `${runId}-${name}-${nextNumber()}`,
    expect: (expectation) => void expectations.push(expectation),
    expectOpen: (events) => void (leftOpen += events),
    settle: () => untilSettled(system, leftOpen),
    audit: async () => {
      const open = await untilSettled(system, leftOpen)
      const audits = [auditOpen(open, leftOpen)]
      for (const expectation of expectations) audits.push(await sink.audit(expectation))
      const lost = sumOf(audits.map((audit) => audit.lost))
      const duplicates = sumOf(audits.map((audit) => audit.duplicates))
      isKept = lost + duplicates > 0
      return { lost, duplicates, examples: audits.flatMap(({ examples }) => examples) }
    },
  }
}

/** An event that should wait and does not is lost; one too many that runs is either lost too or never ends. */
function auditOpen(open: number, leftOpen: number): Audit {
  if (open === leftOpen) return { lost: 0, duplicates: 0, examples: [] }
  const examples = [`${open} workflows run at the end, expected ${leftOpen}`]
  return { lost: Math.abs(leftOpen - open), duplicates: 0, examples }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/**
 * Waits until only `leftOpen` workflows run, for a delivery that is made twice may come late; visibility itself
 * lags.
 * @returns how many run, after a bounded wait
 */
async function untilSettled({ client, taskQueue }: System, leftOpen: number): Promise<number> {
  const deadline = Date.now() + SETTLED_WITHIN_MS
  for (;;) {
    // The release of an endpoint looks once more after a minute.
    const { count } = await client.workflow.count(
      `TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running" AND WorkflowType IN ("syncEvent", "syncGroup")`,
    )
    if (count === leftOpen || Date.now() > deadline) return count
    await sleep(LOOK_INTERVAL_MS)
  }
}
