import { Runtime } from '@temporalio/worker'
import { Command } from 'commander'
import { loadConfig } from '../config.js'
import { createLogger } from '../logger.js'
import { temporalLogger } from '../temporal-logger.js'
import { runWorker } from '../worker.js'

export function workerCommand(): Command {
  return new Command('worker')
    .description('run a worker on the Temporal of TEMPORAL_ADDRESS, until stopped')
    .action(async () => {
      const config = loadConfig(process.env)
      const logger = createLogger(config.logLevel ?? 'info')
      Runtime.install({ logger: temporalLogger(logger), shutdownSignals: [] })
      await runWorker({ config, logger })
    })
}
