import { checkReach } from '../api/reach.js'
import { SyncService } from '../client.js'
import { aborted } from '../stop-signal.js'
import { runProcess, type Process } from './run-process.js'
import { serveApi } from './serve-api.js'

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

async function serve(running: Process, { port, ip, worker = false }: ServeFlags): Promise<void> {
  const { config, logger, metrics, signal } = running
  checkReach(ip, config.apiTokens)
  const service = await SyncService.connect({
    logger,
    worker: worker && { onAttempt: (attempt) => metrics.attemptEnded(attempt) },
  })
  try {
    const server = await serveApi(service, running, { ip, port })
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
