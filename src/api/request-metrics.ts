import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../metrics/metrics.js'

/** Measures every request. */
export function measureRequests(app: FastifyInstance, metrics: Pick<Metrics, 'requestEnded'>): void {
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode: status, elapsedTime }) => {
    // A path that no route has may be anything: as a label it would fill the memory.
    const route = routeOptions.url ?? 'none'
    metrics.requestEnded({ method, route, status }, elapsedTime / 1_000)
  })
}
