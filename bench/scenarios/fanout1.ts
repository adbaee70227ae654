import { registerEndpoints } from '../rig/endpoints.js'
import { eagerStartsPct } from '../rig/histories.js'
import { runLoad, warmUp } from '../rig/load.js'
import { defineScenario } from '../scenario.js'

/** The happy path: each event goes to one endpoint. */
export const fanout1 = defineScenario({
  name: 'fanout1',
  description: 'events to one endpoint, each a workflow of its own',
  bars: [{ field: 'ratio_to_floor', atLeast: 0.9 }],
  counts: { events: 1_500, emitters: 50, floorWorkflows: 1_000 },
  quickCounts: { events: 100, emitters: 20, floorWorkflows: 20 },
  measure: async (trial, { events, emitters, floorWorkflows }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const floorPerS = await trial.floorPerS({ workflows: floorWorkflows, concurrency: emitters })
    const { eventsPerS, cpuMsPerDelivery } = await runLoad(trial, {
      name: 'fanout1',
      endpoints,
      events,
      emitters,
    })
    return {
      measures: {
        events_per_s: eventsPerS,
        ratio_to_floor: eventsPerS / floorPerS,
        floor_per_s: floorPerS,
        eager_starts_pct: await eagerStartsPct(trial.system, endpoints.type),
      },
      cpuMsPerDelivery,
    }
  },
})
