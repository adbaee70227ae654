import { registerEndpoints } from '../rig/endpoints.js'
import { largestHistory } from '../rig/histories.js'
import { runLoad, warmUp } from '../rig/load.js'
import { withPeakRss } from '../rig/memory.js'
import { defineScenario } from '../scenario.js'

/** One event that very many endpoints get. */
export const fanout5000 = defineScenario({
  name: 'fanout5000',
  description: 'one event to 5,000 endpoints',
  bars: [
    { field: 'seconds', atMost: 60 },
    { field: 'worker_rss_mb', atMost: 600 },
    { field: 'largest_history_events', atMost: 10_240 },
    { field: 'largest_history_bytes', atMost: 10 * 1024 * 1024 },
  ],
  counts: { endpointCount: 5_000 },
  quickCounts: { endpointCount: 200 },
  measure: async (trial, { endpointCount }) => {
    const endpoints = await registerEndpoints(trial, { count: endpointCount })
    await warmUp(trial)
    const { result, peakRssMb } = await withPeakRss(() =>
      runLoad(trial, { name: 'fanout5000', endpoints, events: 1, emitters: 1 }),
    )
    await trial.settle()
    const { events, bytes } = await largestHistory(trial.system)
    return {
      measures: {
        deliveries_per_s: result.deliveriesPerS,
        seconds: result.seconds,
        worker_rss_mb: peakRssMb,
        largest_history_events: events,
        largest_history_bytes: bytes,
      },
      cpuMsPerDelivery: result.cpuMsPerDelivery,
    }
  },
})
