import type { Endpoint } from '../domain/endpoint.js'

/** A slower endpoint would hold up workflow tasks, in milliseconds. */
const QUICK_MS = 1_000

/** What this worker has lately seen of each endpoint. */
export interface EndpointHealth {
  observe(endpoint: Pick<Endpoint, 'name'>, attempt: { delivered: boolean; durationMs: number }): void
  /** Whether the last attempt delivered quickly, or none has been made. */
  isQuick(name: string): boolean
}

export function createEndpointHealth(): EndpointHealth {
  const slowOrFailing = new Set<string>()
  return {
    observe: ({ name }, { delivered, durationMs }) => {
      if (delivered && durationMs <= QUICK_MS) slowOrFailing.delete(name)
      else slowOrFailing.add(name)
    },
    isQuick: (name) => !slowOrFailing.has(name),
  }
}
