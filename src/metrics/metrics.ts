import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'

const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What is counted of the API, beside the process's own metrics. */
export interface ApiMetrics {
  /** In Prometheus' text format. */
  text(): Promise<string>
  /** The content type of that. */
  readonly contentType: string
  eventAccepted(): void
  /** @param code of the error by which it was refused */
  eventRefused(code: string): void
  requestEnded(labels: { method: string; route: string; status: number }, seconds: number): void
}

/** Makes a registry of its own, so that several servers in a process count apart. */
export function createApiMetrics(): ApiMetrics {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const registers = [register]
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the request’s headers to the end of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_S,
    registers,
  })
  const accepted = new Counter({
    name: 'external_sync_events_accepted_total',
    help: 'Events that Temporal has accepted, duplicates included',
    registers,
  })
  const refused = new Counter({
    name: 'external_sync_events_refused_total',
    help: 'Events that were not accepted, by the code of the error',
    labelNames: ['code'],
    registers,
  })
  return {
    text: () => register.metrics(),
    contentType: register.contentType,
    eventAccepted: () => accepted.inc(),
    eventRefused: (code) => refused.inc({ code }),
    requestEnded: (labels, seconds) => durations.observe(labels, seconds),
  }
}

/** Measures every request. */
export function measureRequests(app: FastifyInstance, metrics: ApiMetrics): void {
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode: status, elapsedTime }) => {
    // A path that no route has may be anything: as a label it would fill the memory.
    const route = routeOptions.url ?? 'none'
    metrics.requestEnded({ method, route, status }, elapsedTime / 1_000)
  })
}
