import { Runtime } from '@temporalio/worker'
import { Command, InvalidArgumentError } from 'commander'
import { loadConfig } from '../config.js'
import { createLogger } from '../logger.js'
import { startEmbeddedSystem } from '../start.js'
import { aborted, stopSignal } from '../stop-signal.js'
import { temporalLogger } from '../temporal-logger.js'
import { progressSpinner } from './progress-spinner.js'

export function startCommand(): Command {
  return new Command('start')
    .description('run the embedded Temporal server and a worker, until stopped; data in SYNC_DATA_DIR')
    .option('--port <port>', 'port of Temporal (default: 7233, or a free one)', parsePort)
    .option('--ui-port <port>', 'port of the Temporal UI (default: 8233, or a free one)', parsePort)
    .action(start)
}

async function start({ port, uiPort }: { port?: number; uiPort?: number }): Promise<void> {
  const config = loadConfig(process.env)
  const logger = createLogger(config.logLevel ?? 'info')
  Runtime.install({ logger: temporalLogger(logger), shutdownSignals: [] })
  const signal = stopSignal()
  const spinner = progressSpinner('starting')
  try {
    const system = await startEmbeddedSystem({
      config,
      logger,
      port,
      uiPort,
      signal,
      onProgress: (message) => (spinner.text = message),
    })
    spinner.stop()
    process.stdout.write(
      `external-sync is ready\n` +
        `  Temporal     ${system.address}\n` +
        `  Temporal UI  ${system.uiUrl}\n` +
        `  endpoints    in public networks, and in ${system.allowNetworks.join(', ')}\n` +
        `  data         ${config.dataDir}\n` +
        `Stop it with Ctrl-C: what is not delivered yet waits in the data folder.\n`,
    )
    try {
      await Promise.race([system.failed, aborted(signal)])
    } finally {
      await system.stop()
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    spinner.stop()
  }
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('expected a port from 0 to 65535')
}
