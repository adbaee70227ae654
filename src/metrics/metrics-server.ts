import { createHttpServer, stopHttpServer, urlOf } from '../http/http-server.js'
import type { Metrics } from './metrics.js'

/** Serves a process's metrics until it is stopped. */
export interface MetricsServer {
  readonly url: string
  stop(): Promise<void>
}

/** Where metrics are served: nobody is asked who they are, so it should be an address that only Prometheus reaches. */
export interface MetricsAddress {
  ip: string
  port: number
}

/** Serves `/metrics` and nothing else. */
export async function startMetricsServer(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  { ip, port }: MetricsAddress,
): Promise<MetricsServer> {
  const app = createHttpServer({ bodyLimit: 1 })
  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()))
  await app.listen({ host: ip, port })
  return { url: `${urlOf(app)}/metrics`, stop: () => stopHttpServer(app) }
}
