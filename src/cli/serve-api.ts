import type { SyncService } from '../client.js'
import { choosePort } from '../embedded/ports.js'
import { startServer, type Server } from '../server.js'
import { DEFAULT_API_PORT } from './option-values.js'
import type { Process } from './run-process.js'

/** Where the API is served. */
interface Place {
  ip: string
  /** @default 8080, or another that is free */
  port: number | undefined
  /** Of the Temporal UI that runs beside it; `SYNC_TEMPORAL_UI_URL` takes its place. */
  uiUrl?: string
}

/** Serves the HTTP API and the status page by the configuration of the process. */
export async function serveApi(
  service: SyncService,
  { config, logger, metrics }: Process,
  { ip, port: requested, uiUrl }: Place,
): Promise<Server> {
  const { apiTokens: tokens, apiRateLimit: rateLimit, temporalUiUrl = uiUrl } = config
  const port = await choosePort(ip, { purpose: 'the HTTP API', requested, preferred: DEFAULT_API_PORT })
  return startServer({ service, logger, metrics, ip, port, tokens, rateLimit, temporalUiUrl })
}
