import { defineScenario } from '../scenario.js'

/** What Temporal alone costs. */
export const floor = defineScenario({
  name: 'floor',
  description: 'a workflow that does nothing, started eagerly, its result awaited',
  bars: [],
  counts: { workflows: 1_000, concurrency: 50, idleWorkflows: 100 },
  quickCounts: { workflows: 50, concurrency: 20, idleWorkflows: 10 },
  measure: async (trial, { workflows, concurrency, idleWorkflows }) => ({
    measures: {
      floor_per_s: await trial.floorPerS({ workflows, concurrency }),
      floor_idle_p50_ms: await trial.floorIdleMs(idleWorkflows),
    },
  }),
})
