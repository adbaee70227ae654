import { registerEndpoints } from '../rig/endpoints.js'
import { runSequentially, warmUp } from '../rig/load.js'
import { median, percentile } from '../rig/statistics.js'
import { defineScenario } from '../scenario.js'

/** How soon an event is there when nothing else goes on. */
export const idle = defineScenario({
  name: 'idle',
  description: 'one event at a time: from the call of emit to the request at the endpoint',
  bars: [{ field: 'ratio_to_floor_idle', atMost: 0.5 }],
  counts: { events: 300, pauseMs: 20, floorWorkflows: 150 },
  quickCounts: { events: 20, pauseMs: 20, floorWorkflows: 10 },
  measure: async (trial, { events, pauseMs, floorWorkflows }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const floorIdleMs = await trial.floorIdleMs(floorWorkflows)
    const { latenciesMs, cpuMsPerDelivery } = await runSequentially(trial, {
      name: 'idle',
      endpoints,
      events,
      pauseMs,
    })
    const p50Ms = median(latenciesMs)
    return {
      measures: {
        p50_ms: p50Ms,
        p99_ms: percentile(latenciesMs, 99),
        ratio_to_floor_idle: p50Ms / floorIdleMs,
        floor_idle_p50_ms: floorIdleMs,
      },
      cpuMsPerDelivery,
    }
  },
})
