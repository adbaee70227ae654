import { Command } from 'commander'
import { checkReach } from '../api/reach.js'
import { SyncService } from '../client.js'
import { choosePort } from '../embedded/ports.js'
import { startServer } from '../server.js'
import { aborted } from '../stop-signal.js'
import { runProcess, type Process } from './run-process.js'
import { DEFAULT_API_PORT, parsePort } from './start.js'

const DEFAULT_IP = '127.0.0.1'

interface ServeFlags {
  port?: number
  ip: string
  worker?: boolean
}

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
    .action((flags: ServeFlags) => runProcess((process) => serve(process, flags)))
}

async function serve(
  { config, logger, metrics, signal }: Process,
  { port: requested, ip, worker = false }: ServeFlags,
): Promise<void> {
  const { apiTokens: tokens, apiRateLimit: rateLimit, temporalUiUrl } = config
  checkReach(ip, tokens)
  const service = await SyncService.connect({
    logger,
    worker: worker && { onAttempt: (attempt) => metrics.attemptEnded(attempt) },
  })
  try {
    const port = await choosePort(ip, { purpose: 'the HTTP API', requested, preferred: DEFAULT_API_PORT })
    const server = await startServer({
      service,
      logger,
      metrics,
      ip,
      port,
      tokens,
      rateLimit,
      temporalUiUrl,
    })
    process.stdout.write(
      `external-sync serves\n` +
        `  HTTP API     ${server.url}\n` +
        `  OpenAPI      ${server.url}/openapi.json\n` +
        `  Status page  ${server.url}/\n` +
        `Stop it with Ctrl-C.\n`,
    )
    await aborted(signal)
    await server.stop()
  } finally {
    await service.close()
  }
}
