import { Command } from 'commander'

export function workerCommand(): Command {
  return new Command('worker')
    .description('run a worker on the Temporal of TEMPORAL_ADDRESS, until stopped')
    .action(async () => {
      const [{ runProcess }, { runWorker }] = await Promise.all([
        import('./run-process.js'),
        import('../worker.js'),
      ])
      await runProcess(({ config, logger, metrics, signal }) =>
        runWorker({ config, logger, signal, onAttempt: (attempt) => metrics.attemptEnded(attempt) }),
      )
    })
}
