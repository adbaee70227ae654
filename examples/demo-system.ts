import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Runtime } from '@temporalio/worker'
import { pino, type Logger } from 'pino'
import { loadConfig } from '../src/config.js'
import { createLogger } from '../src/logger.js'
import { startEmbeddedSystem, type EmbeddedSystem } from '../src/start.js'
import { temporalLogger } from '../src/temporal-logger.js'
import type { AttemptLine, Screen } from './demo-screen.js'

/** A demo neither uses nor changes the endpoints that are registered on this machine. */
const NOT_FROM_ENVIRONMENT = { DATABASE_URL: undefined, SYNC_TASK_QUEUE: undefined }

interface DemoSystemOptions {
  screen: Screen
  signal: AbortSignal
}

/** The embedded system on a folder of its own, which goes with it. */
export interface DemoSystem extends EmbeddedSystem, AsyncDisposable {
  readonly dataDir: string
}

/** Starts in this process what `npx external-sync start` runs, and shows its attempts. */
export async function startDemoSystem({ screen, signal }: DemoSystemOptions): Promise<DemoSystem> {
  Runtime.install({ logger: temporalLogger(createLogger('error')), shutdownSignals: [] })
  const dataDir = await mkdtemp(join(tmpdir(), 'external-sync-demo-'))
  const removeData = (): Promise<void> => rm(dataDir, { recursive: true, force: true })
  const progress = screen.progress('looking for a Temporal server')
  try {
    const system = await startEmbeddedSystem({
      config: loadConfig({ ...process.env, SYNC_DATA_DIR: dataDir, ...NOT_FROM_ENVIRONMENT }),
      logger: attemptLogger(screen),
      signal,
      // Free ones, so that it runs beside a system that is there already.
      port: 0,
      uiPort: 0,
      onProgress: (message) => progress.update(message),
    })
    progress.done(`Temporal at ${system.address}, its UI at ${system.uiUrl}`)
    return {
      ...system,
      dataDir,
      [Symbol.asyncDispose]: async () => {
        await system.stop()
        await removeData()
      },
    }
  } catch (error) {
    progress.done()
    await removeData()
    throw error
  }
}

/** A logger for the worker that shows its attempts and drops the rest. */
function attemptLogger(screen: Screen): Logger {
  return pino(
    { level: 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
    {
      write: (text: string) => {
        const entry = JSON.parse(text) as AttemptLine & { msg: string }
        if (entry.msg === 'attempt') screen.attempt(entry)
      },
    },
  )
}
