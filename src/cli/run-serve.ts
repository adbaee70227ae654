import { checkReach } from '../api/reach.js'
import { SyncService } from '../client.js'
import { choosePort } from '../embedded/ports.js'
import { startServer } from '../server.js'
import { aborted } from '../stop-signal.js'
import { DEFAULT_API_PORT } from './option-values.js'
import { runProcess, type Process } from './run-process.js'

/** The options of `serve`. */
export interface ServeFlags {
  port?: number
  ip: string
  worker?: boolean
}

/** Serves the HTTP API until it is stopped. */
export function runServe(flags: ServeFlags): Promise<void> {
  return runProcess((process) => serve(process, flags))
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
