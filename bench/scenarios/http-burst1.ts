import { registerEndpoints } from '../rig/endpoints.js'
import { openHttpCallers } from '../rig/http-callers.js'
import { runLoad, warmUp } from '../rig/load.js'
import { defineScenario } from '../scenario.js'

/** What HTTP takes of the rate of many emitters at once, with grouping. */
export const httpBurst1 = defineScenario({
  name: 'http-burst1',
  description:
    'events to one endpoint in groups, by emit and by POST /v1/events, from many callers at once, which are a process of their own',
  bars: [{ field: 'ratio_to_emit', atLeast: 0.8 }],
  grouping: 'auto',
  counts: { events: 20_000, emitters: 200, fewerEmitters: 50, floorWorkflows: 1_000 },
  quickCounts: { events: 100, emitters: 100, fewerEmitters: 50, floorWorkflows: 20 },
  measure: async (trial, { events, emitters, fewerEmitters, floorWorkflows }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await using callers = await openHttpCallers(trial.system)
    await warmUp(trial)
    const floorPerS = await trial.floorPerS({ workflows: floorWorkflows, concurrency: fewerEmitters })
    await runLoad(trial, { name: 'http-warm-up', endpoints, events: trial.warmUpCount, emitters, callers })
    const direct = await runLoad(trial, { name: 'burst1', endpoints, events, emitters })
    const http = await runLoad(trial, { name: 'http-burst1', endpoints, events, emitters, callers })
    return {
      measures: {
        ratio_to_emit: http.deliveriesPerS / direct.deliveriesPerS,
        ratio_to_floor: http.deliveriesPerS / floorPerS,
        http_deliveries_per_s: http.deliveriesPerS,
        http_emits_per_s: http.emitsPerS,
        emit_deliveries_per_s: direct.deliveriesPerS,
        floor_per_s: floorPerS,
      },
      cpuMsPerDelivery: http.cpuMsPerDelivery,
    }
  },
})
