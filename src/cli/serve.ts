import { Command } from 'commander'
import { DEFAULT_API_PORT, parsePort } from './option-values.js'
import type { ServeFlags } from './run-serve.js'

const DEFAULT_IP = '127.0.0.1'

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the HTTP API on the Temporal of TEMPORAL_ADDRESS, until stopped')
    .option('--port <port>', `port to serve on (default: ${DEFAULT_API_PORT}, or a free one)`, parsePort)
    .option(
      '--ip <ip>',
      'address to serve on; beyond this machine needs SYNC_API_TOKENS, and TLS before it',
      DEFAULT_IP,
    )
    .option('--worker', 'run a worker in this process too, which attempts at once what is emitted here')
    .action(async (flags: ServeFlags) => {
      const { runServe } = await import('./run-serve.js')
      await runServe(flags)
    })
}
