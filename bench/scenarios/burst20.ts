import { registerEndpoints } from '../rig/endpoints.js'
import { runLoad, warmUp } from '../rig/load.js'
import { defineScenario } from '../scenario.js'

/** Many emitters at once, with grouping, to 20 endpoints. */
export const burst20 = defineScenario({
  name: 'burst20',
  description: 'events to 20 endpoints in groups, from many emitters at once',
  bars: [{ field: 'ratio_to_floor', atLeast: 50 }],
  grouping: 'auto',
  counts: { events: 2_000, endpointCount: 20, emitters: 50, floorWorkflows: 1_000 },
  quickCounts: { events: 50, endpointCount: 20, emitters: 50, floorWorkflows: 20 },
  measure: async (trial, { events, endpointCount, emitters, floorWorkflows }) => {
    const endpoints = await registerEndpoints(trial, { count: endpointCount })
    await warmUp(trial)
    const floorPerS = await trial.floorPerS({ workflows: floorWorkflows, concurrency: emitters })
    const result = await runLoad(trial, { name: 'burst20', endpoints, events, emitters })
    return {
      measures: {
        deliveries_per_s: result.deliveriesPerS,
        emits_per_s: result.emitsPerS,
        ratio_to_floor: result.deliveriesPerS / floorPerS,
        floor_per_s: floorPerS,
      },
      cpuMsPerDelivery: result.cpuMsPerDelivery,
    }
  },
})
