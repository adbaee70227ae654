import { registerEndpoints } from '../rig/endpoints.js'
import { runLoad, warmUp } from '../rig/load.js'
import { defineScenario } from '../scenario.js'

/** Each event goes to 20 endpoints. */
export const fanout20 = defineScenario({
  name: 'fanout20',
  description: 'events to 20 endpoints, each event a workflow of its own',
  bars: [{ field: 'ratio_to_floor', atLeast: 8 }],
  counts: { events: 500, endpointCount: 20, emitters: 50, floorWorkflows: 1_000 },
  quickCounts: { events: 20, endpointCount: 20, emitters: 20, floorWorkflows: 20 },
  measure: async (trial, { events, endpointCount, emitters, floorWorkflows }) => {
    const endpoints = await registerEndpoints(trial, { count: endpointCount })
    await warmUp(trial)
    const floorPerS = await trial.floorPerS({ workflows: floorWorkflows, concurrency: emitters })
    const { deliveriesPerS, cpuMsPerDelivery } = await runLoad(trial, {
      name: 'fanout20',
      endpoints,
      events,
      emitters,
    })
    return {
      measures: {
        deliveries_per_s: deliveriesPerS,
        ratio_to_floor: deliveriesPerS / floorPerS,
        floor_per_s: floorPerS,
      },
      cpuMsPerDelivery,
    }
  },
})
