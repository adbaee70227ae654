import { Command } from 'commander'
import { DEFAULT_API_PORT, parsePort } from './option-values.js'
import type { StartFlags } from './run-start.js'

export function startCommand(): Command {
  return new Command('start')
    .description(
      'run the embedded Temporal server, a worker and the HTTP API, until stopped; data in SYNC_DATA_DIR',
    )
    .option('--port <port>', 'port of Temporal (default: 7233, or a free one)', parsePort)
    .option('--ui-port <port>', 'port of the Temporal UI (default: 8233, or a free one)', parsePort)
    .option(
      '--api-port <port>',
      `port of the HTTP API (default: ${DEFAULT_API_PORT}, or a free one)`,
      parsePort,
    )
    .action(async (flags: StartFlags) => {
      const { runStart } = await import('./run-start.js')
      await runStart(flags)
    })
}
