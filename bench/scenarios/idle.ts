import { registerEndpoints } from '../rig/endpoints.js'
import { runSequentially, warmUp } from '../rig/load.js'
import { median, percentile } from '../rig/statistics.js'
import { inTurns } from '../rig/turns.js'
import { defineScenario } from '../scenario.js'

/** How soon an event is there when nothing else goes on. */
export const idle = defineScenario({
  name: 'idle',
  description: 'one event at a time: from the call of emit to the request at the endpoint',
  bars: [{ field: 'ratio_to_floor_idle', atMost: 0.5 }],
  counts: { eventsPerTurn: 100, pauseMs: 20, floorWorkflowsPerTurn: 100 },
  quickCounts: { eventsPerTurn: 10, pauseMs: 20, floorWorkflowsPerTurn: 5 },
  measure: async (trial, { eventsPerTurn: events, pauseMs, floorWorkflowsPerTurn }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const turns = await inTurns(async () => ({
      floorMs: await trial.floorIdleMs(floorWorkflowsPerTurn),
      load: await runSequentially(trial, { name: 'idle', endpoints, events, pauseMs }),
    }))
    const latenciesMs = turns.flatMap(({ load }) => load.latenciesMs)
    const p50Ms = median(latenciesMs)
    const floorIdleMs = median(turns.map(({ floorMs }) => floorMs))
    return {
      measures: {
        p50_ms: p50Ms,
        p99_ms: percentile(latenciesMs, 99),
        ratio_to_floor_idle: p50Ms / floorIdleMs,
        floor_idle_p50_ms: floorIdleMs,
      },
      cpuMsPerDelivery: turns.at(-1)!.load.cpuMsPerDelivery,
    }
  },
})
