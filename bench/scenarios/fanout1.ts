import { registerEndpoints } from '../rig/endpoints.js'
import { eagerStartsPct } from '../rig/histories.js'
import { runLoad, warmUp } from '../rig/load.js'
import { median } from '../rig/statistics.js'
import { inTurns } from '../rig/turns.js'
import { defineScenario } from '../scenario.js'

/** The happy path: each event goes to one endpoint. */
export const fanout1 = defineScenario({
  name: 'fanout1',
  description: 'events to one endpoint, each a workflow of its own',
  bars: [{ field: 'ratio_to_floor', atLeast: 0.9 }],
  counts: { eventsPerTurn: 1_000, emitters: 50, floorWorkflowsPerTurn: 700 },
  quickCounts: { eventsPerTurn: 40, emitters: 20, floorWorkflowsPerTurn: 20 },
  measure: async (trial, { eventsPerTurn, emitters, floorWorkflowsPerTurn }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const turns = await inTurns(async () => {
      const floor = await trial.floorPerS({ workflows: floorWorkflowsPerTurn, concurrency: emitters })
      const load = await runLoad(trial, { name: 'fanout1', endpoints, events: eventsPerTurn, emitters })
      await trial.settle()
      return { floor, load }
    })
    const floorPerS = median(turns.map(({ floor }) => floor))
    const eventsPerS = median(turns.map(({ load }) => load.eventsPerS))
    return {
      measures: {
        events_per_s: eventsPerS,
        ratio_to_floor: eventsPerS / floorPerS,
        floor_per_s: floorPerS,
        eager_starts_pct: await eagerStartsPct(trial.system, endpoints.type),
      },
      cpuMsPerDelivery: turns.at(-1)!.load.cpuMsPerDelivery,
    }
  },
})
