import { registerEndpoints } from '../rig/endpoints.js'
import { callersOf } from '../rig/callers.js'
import { openHttpEmitter } from '../rig/http-emitter.js'
import { runLoad, runSequentially, warmUp } from '../rig/load.js'
import { median, percentile } from '../rig/statistics.js'
import { defineScenario } from '../scenario.js'

/** What HTTP adds when nothing else goes on. */
export const httpIdle = defineScenario({
  name: 'http-idle',
  description:
    'one event at a time, by emit and by POST /v1/events: from the call to the request at the endpoint',
  bars: [{ field: 'added_p50_ms', atMost: 3 }],
  counts: { events: 300, pauseMs: 20 },
  quickCounts: { events: 20, pauseMs: 20 },
  measure: async (trial, { events, pauseMs }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await using emitter = await openHttpEmitter(trial.system, 1)
    await warmUp(trial)
    await runLoad(trial, {
      name: 'http-warm-up',
      endpoints,
      events: trial.warmUpCount,
      emitters: 1,
      callers: callersOf(emitter),
    })
    const direct = await runSequentially(trial, { name: 'idle', endpoints, events, pauseMs })
    const http = await runSequentially(trial, { name: 'http-idle', endpoints, events, pauseMs, emitter })
    const [directP50Ms, httpP50Ms] = [median(direct.latenciesMs), median(http.latenciesMs)]
    return {
      measures: {
        added_p50_ms: httpP50Ms - directP50Ms,
        http_p50_ms: httpP50Ms,
        http_p99_ms: percentile(http.latenciesMs, 99),
        emit_p50_ms: directP50Ms,
        emit_p99_ms: percentile(direct.latenciesMs, 99),
      },
      cpuMsPerDelivery: http.cpuMsPerDelivery,
    }
  },
})
