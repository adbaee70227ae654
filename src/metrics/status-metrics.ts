import { Gauge, type Registry } from 'prom-client'
import type { EndpointStatus } from '../domain/status.js'

/** Reads where endpoints stand; those in trouble first. */
export type ReadEndpoints = () => Promise<readonly EndpointStatus[]>

type Sample = [labels: { endpoint: string; reason: string }, value: number]

/**
 * Adds what is asked of Temporal when the metrics are read: how much waits for whom, and since when. While that cannot
 * be told, nothing is said of it; that other metrics are read does not depend on it.
 */
export function addStatusMetrics(register: Registry, read: ReadEndpoints, now = Date.now): void {
  const add = (
    name: string,
    help: string,
    sampleOf: (status: EndpointStatus) => number | undefined,
  ): void => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['endpoint', 'reason'],
      registers: [],
      async collect() {
        const samples = await samplesOf(sampleOf)
        this.reset()
        for (const [labels, value] of samples) this.set(labels, value)
      },
    })
    register.registerMetric(gauge)
  }
  const samplesOf = async (sampleOf: (status: EndpointStatus) => number | undefined): Promise<Sample[]> => {
    const endpoints = await read().catch(() => [])
    return endpoints.flatMap((status): Sample[] => {
      const value = sampleOf(status)
      return value === undefined ? [] : [[{ endpoint: status.name, reason: reasonOf(status) }, value]]
    })
  }

  add(
    'external_sync_waiting_deliveries',
    'Deliveries that wait, by endpoint and reason; more may where thousands do',
    ({ waiting }) => (waiting > 0 ? waiting : undefined),
  )
  add(
    'external_sync_oldest_waiting_seconds',
    'Since when the oldest event was accepted that waits for an endpoint',
    ({ waiting, since }) => (waiting > 0 ? secondsSince(since, now()) : undefined),
  )
  add(
    'external_sync_failing_seconds',
    'For how long an endpoint has taken nothing, for a reason of its own',
    (status) => (isFailing(status) ? secondsSince(status.since, now()) : undefined),
  )
}

function reasonOf({ state, reason }: EndpointStatus): string {
  if (state === 'paused' || state === 'retrying') return state
  return state === 'unusable' ? 'misconfigured' : (reason ?? 'released')
}

function isFailing({ state, reason }: EndpointStatus): boolean {
  return state === 'retrying' || state === 'unusable' || reason === 'down' || reason === 'misconfigured'
}

function secondsSince(since: string | undefined, now: number): number | undefined {
  return since === undefined ? undefined : Math.max(0, (now - Date.parse(since)) / 1_000)
}
