import { registerEndpoints } from '../rig/endpoints.js'
import { eagerStartsPct } from '../rig/histories.js'
import { runLoad, warmUp, type LoadResult } from '../rig/load.js'
import { median } from '../rig/statistics.js'
import { defineScenario } from '../scenario.js'

/** How often floor and events take turns: the machine is not as quick at one moment as at another. */
const TURNS = 3

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
    const floors: number[] = []
    const loads: LoadResult[] = []
    for (let turn = 1; turn <= TURNS; turn += 1) {
      floors.push(await trial.floorPerS({ workflows: floorWorkflowsPerTurn, concurrency: emitters }))
      loads.push(await runLoad(trial, { name: 'fanout1', endpoints, events: eventsPerTurn, emitters }))
      await trial.settle()
    }
    const floorPerS = median(floors)
    const eventsPerS = median(loads.map((load) => load.eventsPerS))
    return {
      measures: {
        events_per_s: eventsPerS,
        ratio_to_floor: eventsPerS / floorPerS,
        floor_per_s: floorPerS,
        eager_starts_pct: await eagerStartsPct(trial.system, endpoints.type),
      },
      cpuMsPerDelivery: loads.at(-1)!.cpuMsPerDelivery,
    }
  },
})
