import { registerEndpoints } from '../rig/endpoints.js'
import { runLoad, warmUp } from '../rig/load.js'
import { defineScenario } from '../scenario.js'

/** Many emitters at once, with grouping. */
export const burst1 = defineScenario({
  name: 'burst1',
  description: 'events to one endpoint in groups, from many emitters at once',
  bars: [
    { field: 'ratio_to_floor', atLeast: 25 },
    { field: 'ratio_at_50', atLeast: 16 },
  ],
  grouping: 'auto',
  counts: { events: 20_000, emitters: 200, eventsAt50: 10_000, fewerEmitters: 50, floorWorkflows: 1_000 },
  quickCounts: { events: 100, emitters: 100, eventsAt50: 50, fewerEmitters: 50, floorWorkflows: 20 },
  measure: async (trial, { events, emitters, eventsAt50, fewerEmitters, floorWorkflows }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const floorPerS = await trial.floorPerS({ workflows: floorWorkflows, concurrency: fewerEmitters })
    const few = await runLoad(trial, {
      name: 'burst1-at-50',
      endpoints,
      events: eventsAt50,
      emitters: fewerEmitters,
    })
    const many = await runLoad(trial, { name: 'burst1', endpoints, events, emitters })
    return {
      measures: {
        deliveries_per_s: many.deliveriesPerS,
        emits_per_s: many.emitsPerS,
        ratio_to_floor: many.deliveriesPerS / floorPerS,
        ratio_at_50: few.deliveriesPerS / floorPerS,
        deliveries_per_s_at_50: few.deliveriesPerS,
        floor_per_s: floorPerS,
      },
      cpuMsPerDelivery: many.cpuMsPerDelivery,
    }
  },
})
