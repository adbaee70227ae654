import { registerEndpoints } from '../rig/endpoints.js'
import { runLoad, warmUp } from '../rig/load.js'
import { settledRssMb } from '../rig/memory.js'
import { defineScenario } from '../scenario.js'

/** Whether a worker holds on to what it is done with. */
export const soak = defineScenario({
  name: 'soak',
  description: 'many events to one endpoint: memory after the first quarter and at the end',
  bars: [{ field: 'rss_growth_pct', atMost: 10 }],
  counts: { events: 20_000, emitters: 50 },
  quickCounts: { events: 100, emitters: 20 },
  // Its four minutes are many events already.
  repetitions: 1,
  measure: async (trial, { events, emitters }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const quarter = Math.round(events / 4)
    await runLoad(trial, { name: 'soak-first-quarter', endpoints, events: quarter, emitters })
    const firstRssMb = settledRssMb()
    const rest = await runLoad(trial, { name: 'soak', endpoints, events: events - quarter, emitters })
    const lastRssMb = settledRssMb()
    return {
      measures: {
        rss_growth_pct: 100 * (lastRssMb / firstRssMb - 1),
        first_rss_mb: firstRssMb,
        last_rss_mb: lastRssMb,
        events_per_s: rest.eventsPerS,
      },
      cpuMsPerDelivery: rest.cpuMsPerDelivery,
    }
  },
})
