import { Runtime } from '@temporalio/worker'
import { Command } from 'commander'
import { checkReach } from '../api/reach.js'
import { SyncService } from '../client.js'
import { loadConfig } from '../config.js'
import { choosePort } from '../embedded/ports.js'
import { createLogger } from '../logger.js'
import { startServer } from '../server.js'
import { aborted, stopSignal } from '../stop-signal.js'
import { temporalLogger } from '../temporal-logger.js'
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
    .action(serve)
}

async function serve({ port: requested, ip, worker = false }: ServeFlags): Promise<void> {
  const config = loadConfig(process.env)
  const { apiTokens: tokens, apiRateLimit: rateLimit, temporalUiUrl } = config
  checkReach(ip, tokens)
  const logger = createLogger(config.logLevel ?? 'info')
  if (worker) Runtime.install({ logger: temporalLogger(logger), shutdownSignals: [] })
  const signal = stopSignal()
  const service = await SyncService.connect({ logger, worker })
  try {
    const port = await choosePort(ip, { purpose: 'the HTTP API', requested, preferred: DEFAULT_API_PORT })
    const server = await startServer({ service, logger, ip, port, tokens, rateLimit, temporalUiUrl })
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
