import { Command } from 'commander'
import { runWorker } from '../worker.js'
import { runProcess } from './run-process.js'

export function workerCommand(): Command {
  return new Command('worker')
    .description('run a worker on the Temporal of TEMPORAL_ADDRESS, until stopped')
    .action(() =>
      runProcess(({ config, logger, metrics, signal }) =>
        runWorker({ config, logger, signal, onAttempt: (attempt) => metrics.attemptEnded(attempt) }),
      ),
    )
}
