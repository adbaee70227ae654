import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, type TestContext } from 'vitest'
import { SyncService, type SyncServiceOptions } from '../../src/client.js'
import { startReceiver, type Receiver, type Respond } from '../../src/testing/index.js'
import { resultOf, type CommandResult } from './cli.js'
import { startProgram, type Program } from './program.js'
import { createStoreDatabase } from './store-database.js'

/** Processes that share a data folder and a task queue, as in production. */
export interface SeparateProcesses {
  /** `SYNC_DATA_DIR`. */
  readonly folder: string
  /** What all of them have as their environment. */
  readonly env: NodeJS.ProcessEnv
  /** Connects a service in this process, by the environment of the others. */
  connect(options?: SyncServiceOptions): Promise<SyncService>
  startReceiver(...responses: Respond[]): Promise<Receiver>
  /** Runs a worker; resolves when it has started. `variables` take the place of the system's. */
  startWorker(variables?: NodeJS.ProcessEnv): Promise<Program>
  /** Serves the HTTP API on a free port; resolves when it does. */
  startServer(args?: string[], variables?: NodeJS.ProcessEnv): Promise<Program>
  /** Runs the embedded system on free ports; resolves when it is ready. */
  startEmbedded(): Promise<Program>
  /** Runs a command of `external-sync` to its end; `input` is its standard input. */
  runCommand: (args: string[], variables?: NodeJS.ProcessEnv, input?: string) => Promise<CommandResult>
  /** Starts a command of `external-sync`. */
  startCommand(args: string[], variables?: NodeJS.ProcessEnv, input?: string): Promise<Program>
  /** Runs a module given as source, in the repository's root. */
  runScript(source: string): Promise<Program>
}

type TestEnd = Pick<TestContext, 'onTestFinished'>

/** A system on the shared Temporal server; all that is started with it ends with the test. */
export async function openProcesses(
  test: TestEnd,
  variables?: NodeJS.ProcessEnv,
): Promise<SeparateProcesses> {
  const database = await createStoreDatabase()
  return open(test, { TEMPORAL_ADDRESS: inject('temporalAddress'), ...database?.env, ...variables })
}

/** A system without any server until one is started on its data folder. */
export function openEmbedded(test: TestEnd, variables?: NodeJS.ProcessEnv): Promise<SeparateProcesses> {
  return open(test, { TEMPORAL_ADDRESS: undefined, ...variables })
}

async function open({ onTestFinished }: TestEnd, variables: NodeJS.ProcessEnv): Promise<SeparateProcesses> {
  const opened: AsyncDisposable[] = []
  const use = <T extends AsyncDisposable>(part: T): T => {
    opened.push(part)
    return part
  }
  const folder = await mkdtemp(join(tmpdir(), 'external-sync-test-'))
  onTestFinished(async () => {
    for (const part of opened.toReversed()) await part[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true, maxRetries: 10 })
  })
  const env = {
    ...process.env,
    SYNC_DATA_DIR: folder,
    SYNC_TASK_QUEUE: `external-sync-test-${randomUUID()}`,
    SYNC_LOG_LEVEL: 'trace',
    SYNC_ALLOW_NETWORKS: '127.0.0.0/8',
    ...variables,
  }
  const start = async (args: string[], others: NodeJS.ProcessEnv = {}, input?: string): Promise<Program> =>
    use(await startProgram(args, { ...env, ...others }, input))
  const startCommand = (args: string[], others?: NodeJS.ProcessEnv, input?: string): Promise<Program> =>
    start(['dist/cli.js', ...args], others, input)
  return {
    folder,
    env,
    connect: async (options) => use(await SyncService.connect({ env, ...options })),
    startReceiver: async (...responses) => use(await startReceiver(...responses)),
    startWorker: async (others) => {
      const worker = await start(['dist/cli.js', 'worker'], others)
      await worker.waitForOutput('worker started')
      return worker
    },
    startServer: async (args = [], others) => {
      const server = await start(['dist/cli.js', 'serve', '--port', '0', ...args], others)
      await server.waitForOutput('Stop it with Ctrl-C')
      return server
    },
    startEmbedded: async () => {
      const system = await start(['dist/cli.js', 'start', '--port', '0', '--ui-port', '0', '--api-port', '0'])
      await system.waitForOutput('Stop it with Ctrl-C')
      return system
    },
    runCommand: async (...command) => resultOf(await startCommand(...command)),
    startCommand,
    runScript: (source) => start(['--input-type=module', '-e', source]),
  }
}
