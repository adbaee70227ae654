import { registerEndpoints } from '../rig/endpoints.js'
import { openHttpCallers } from '../rig/http-callers.js'
import { runLoad, warmUp } from '../rig/load.js'
import { median } from '../rig/statistics.js'
import { inTurns } from '../rig/turns.js'
import { defineScenario } from '../scenario.js'

/** What HTTP takes of the rate of many emitters at once, with grouping. */
export const httpBurst1 = defineScenario({
  name: 'http-burst1',
  description:
    'events to one endpoint in groups, by emit and by POST /v1/events, from many callers at once, which are a process of their own; then from fewer callers, each of which posts an array',
  bars: [
    { field: 'ratio_to_emit', atLeast: 0.8 },
    { field: 'arrays_ratio_to_emit', atLeast: 0.8 },
  ],
  grouping: 'auto',
  counts: {
    eventsPerTurn: 10_000,
    emitters: 200,
    eventsPerArray: 20,
    fewerEmitters: 50,
    floorWorkflows: 1_000,
  },
  quickCounts: {
    eventsPerTurn: 50,
    emitters: 100,
    eventsPerArray: 10,
    fewerEmitters: 50,
    floorWorkflows: 20,
  },
  measure: async (trial, { eventsPerTurn, emitters, eventsPerArray, fewerEmitters, floorWorkflows }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await using callers = await openHttpCallers(trial.system)
    await warmUp(trial)
    const floorPerS = await trial.floorPerS({ workflows: floorWorkflows, concurrency: fewerEmitters })
    const load = { endpoints, events: eventsPerTurn, emitters }
    const arrays = {
      ...load,
      name: 'http-arrays',
      callers,
      emitters: emitters / eventsPerArray,
      eventsPerCall: eventsPerArray,
    }
    // Compilers need as many of each to be done with it.
    await runLoad(trial, { ...load, name: 'burst1-warm-up' })
    await runLoad(trial, { ...load, name: 'http-warm-up', callers })
    await runLoad(trial, { ...arrays, name: 'arrays-warm-up' })
    const turns = await inTurns(async () => ({
      direct: await runLoad(trial, { ...load, name: 'burst1' }),
      http: await runLoad(trial, { ...load, name: 'http-burst1', callers }),
      arrays: await runLoad(trial, arrays),
    }))
    const httpPerS = median(turns.map(({ http }) => http.deliveriesPerS))
    const arraysPerS = median(turns.map((turn) => turn.arrays.deliveriesPerS))
    const directPerS = median(turns.map(({ direct }) => direct.deliveriesPerS))
    return {
      measures: {
        ratio_to_emit: httpPerS / directPerS,
        arrays_ratio_to_emit: arraysPerS / directPerS,
        ratio_to_floor: httpPerS / floorPerS,
        http_deliveries_per_s: httpPerS,
        http_emits_per_s: median(turns.map(({ http }) => http.emitsPerS)),
        arrays_deliveries_per_s: arraysPerS,
        emit_deliveries_per_s: directPerS,
        floor_per_s: floorPerS,
      },
      cpuMsPerDelivery: turns.at(-1)!.http.cpuMsPerDelivery,
    }
  },
})
