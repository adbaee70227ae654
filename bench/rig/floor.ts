import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  bundleWorkflowCode,
  DefaultLogger,
  Worker,
  type NativeConnection,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker'
import type { Client } from '@temporalio/client'
import type { doNothing } from '../floor-workflow.js'
import { closedLoop } from './closed-loop.js'
import { median } from './statistics.js'
import { WORKER_TUNING } from '../../dist/worker-tuning.js'

const WORKFLOWS_PATH = fileURLToPath(new URL('../floor-workflow.js', import.meta.url))
const WARM_UP_CONCURRENCY = 20
const IDLE_PAUSE_MS = 20

/** What the floor is measured with: the connection of the system beside it. */
export interface FloorParts {
  connection: NativeConnection
  client: Client
  namespace: string
}

/** How much is run. */
export interface FloorCounts {
  workflows: number
  /** Run before, unmeasured. */
  warmUp: number
}

type RunOne = () => Promise<unknown>

/** Workflows that do nothing per second, each started eagerly and its result awaited. */
export function measureFloor(
  parts: FloorParts,
  { workflows, warmUp, concurrency }: FloorCounts & { concurrency: number },
): Promise<number> {
  return withFloorWorker(parts, async (runOne) => {
    await closedLoop({ count: warmUp, concurrency: WARM_UP_CONCURRENCY }, runOne)
    const startedMs = performance.now()
    await closedLoop({ count: workflows, concurrency }, runOne)
    return workflows / ((performance.now() - startedMs) / 1_000)
  })
}

/** From start to result in milliseconds, one workflow at a time with pauses; the median. */
export function measureIdleFloor(parts: FloorParts, { workflows, warmUp }: FloorCounts): Promise<number> {
  return withFloorWorker(parts, async (runOne) => {
    await closedLoop({ count: warmUp, concurrency: 1 }, runOne)
    const durationsMs: number[] = []
    for (let index = 0; index < workflows; index += 1) {
      await sleep(IDLE_PAUSE_MS)
      const startedMs = performance.now()
      await runOne()
      durationsMs.push(performance.now() - startedMs)
    }
    return median(durationsMs)
  })
}

/** The worker lives only meanwhile, so that it takes nothing from the system beside it. */
async function withFloorWorker(
  { connection, client, namespace }: FloorParts,
  measure: (runOne: RunOne) => Promise<number>,
): Promise<number> {
  const taskQueue = `bench-floor-${randomUUID()}`
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: await floorBundle(),
    ...WORKER_TUNING,
  })
  return worker.runUntil(
    measure(() =>
      client.workflow.execute<typeof doNothing>('doNothing', {
        taskQueue,
        workflowId: `bench-floor/${randomUUID()}`,
        requestEagerStart: true,
      }),
    ),
  )
}

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined

function floorBundle(): Promise<WorkflowBundleWithSourceMap> {
  bundle ??= bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('WARN') })
  return bundle
}
