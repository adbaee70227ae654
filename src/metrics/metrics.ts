import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import type { ObservedAttempt } from '../activities/attempt.js'
import type { SyncErrorCode } from '../domain/errors.js'
import { addStatusMetrics, type ReadEndpoints } from './status-metrics.js'

const REQUEST_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Fewer, as each endpoint has its own. */
const ATTEMPT_BUCKETS_S = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Codes by which an event is refused although nothing is wrong with it. */
const UNACCEPTED: readonly SyncErrorCode[] = [
  'EVENT_NOT_ACCEPTED',
  'TEMPORAL_UNREACHABLE',
  'STORE_UNAVAILABLE',
]

/** What a process counts for Prometheus, beside how it is itself. */
export interface Metrics {
  /** In Prometheus' text format. */
  text(): Promise<string>
  /** The content type of that. */
  readonly contentType: string
  /** @param seconds that Temporal took to accept it */
  eventAccepted(seconds: number): void
  /** @param code of the error by which it was refused */
  eventRefused(code: string): void
  requestEnded(labels: { method: string; route: string; status: number }, seconds: number): void
  attemptEnded(attempt: ObservedAttempt): void
  /** Adds where endpoints stand, which is read when the metrics are. */
  addStatus(read: ReadEndpoints): void
}

/**
 * Makes a registry of its own, so that several servers in a process count apart.
 * @param others texts of metrics that others count, such as Temporal's SDK
 */
export function createMetrics(...others: (() => Promise<string>)[]): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const registers = [register]
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the request’s headers to the end of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_BUCKETS_S,
    registers,
  })
  const accepted = new Counter({
    name: 'external_sync_events_accepted_total',
    help: 'Events that Temporal has accepted, duplicates included',
    registers,
  })
  const acceptance = new Histogram({
    name: 'external_sync_event_acceptance_duration_seconds',
    help: 'How long Temporal took to accept an event',
    buckets: REQUEST_BUCKETS_S,
    registers,
  })
  const refused = new Counter({
    name: 'external_sync_events_refused_total',
    help: 'Events that were not accepted, by the code of the error',
    labelNames: ['code'],
    registers,
  })
  const attempts = new Counter({
    name: 'external_sync_attempts_total',
    help: 'Attempts to deliver, by what came of them: delivered, retry, or the reason for which the delivery waits',
    labelNames: ['endpoint', 'outcome'],
    registers,
  })
  const attemptDurations = new Histogram({
    name: 'external_sync_attempt_duration_seconds',
    help: 'How long attempts took, whatever came of them',
    labelNames: ['endpoint'],
    buckets: ATTEMPT_BUCKETS_S,
    registers,
  })
  // From 0 on, as Prometheus sees no increase in what begins with 1.
  for (const code of UNACCEPTED) refused.inc({ code }, 0)
  return {
    text: async () => {
      const texts = await Promise.all([register.metrics(), ...others.map((read) => read())])
      return texts.map((text) => (text.endsWith('\n') || text === '' ? text : `${text}\n`)).join('')
    },
    contentType: register.contentType,
    eventAccepted: (seconds) => {
      accepted.inc()
      acceptance.observe(seconds)
    },
    eventRefused: (code) => refused.inc({ code }),
    requestEnded: (labels, seconds) => requests.observe(labels, seconds),
    attemptEnded: ({ endpoint, outcome, durationMs }) => {
      attempts.inc({ endpoint, outcome })
      attemptDurations.observe({ endpoint }, durationMs / 1_000)
    },
    addStatus: (read) => addStatusMetrics(register, read),
  }
}
