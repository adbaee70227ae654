import { registerEndpoints } from '../rig/endpoints.js'
import { cpuPerDelivery, readCpuTimes } from '../rig/cpu.js'
import { runLoad, warmUp } from '../rig/load.js'
import { beginOutage } from '../rig/outage.js'
import { spread } from '../rig/statistics.js'
import { defineScenario } from '../scenario.js'

const DELIVERED_WITHIN_MS = 240_000

/** How soon and how fast what has waited is delivered when its endpoint is back. */
export const recovery = defineScenario({
  name: 'recovery',
  description: 'deliveries that wait for an endpoint, from the moment it is back',
  bars: [
    { field: 'first_s', atMost: 5 },
    { field: 'rate_ratio_to_fanout1', atLeast: 0.8 },
  ],
  counts: { waiting: 2_000, waitingWithinMs: 120_000, events: 1_000, emitters: 50 },
  quickCounts: { waiting: 50, waitingWithinMs: 5_000, events: 50, emitters: 20 },
  measure: async (trial, { waiting, waitingWithinMs, events, emitters }) => {
    const { sink, temporal } = trial
    const healthy = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const { eventsPerS } = await runLoad(trial, { name: 'fanout1', endpoints: healthy, events, emitters })
    const outage = await beginOutage(trial, { count: waiting, emitters, waitingWithinMs })
    const { phase } = outage.events
    trial.expect({ phase, events: waiting, paths: outage.endpoints.paths })

    const processes = { serverPid: temporal.pid, sinkPid: sink.pid }
    const cpuBefore = readCpuTimes(processes)
    await sink.behave(outage.port, 'answer')
    const backMs = performance.timeOrigin + performance.now()
    await sink.untilAnswered(phase, waiting, DELIVERED_WITHIN_MS)
    const cpuAfter = readCpuTimes(processes)
    const arrivedS = (await sink.arrivals(phase)).map(([, atMs]) => (atMs - backMs) / 1_000)
    if (arrivedS.length < 2)
      return { measures: {}, notes: [...outage.notes, 'nothing came after the outage'] }
    const [firstS, lastS] = spread(arrivedS)
    const ratePerS = (arrivedS.length - 1) / (lastS - firstS)
    return {
      measures: {
        first_s: firstS,
        last_s: lastS,
        rate_ratio_to_fanout1: ratePerS / eventsPerS,
        deliveries_per_s: ratePerS,
        fanout1_events_per_s: eventsPerS,
      },
      cpuMsPerDelivery: cpuPerDelivery(cpuBefore, cpuAfter, waiting),
      notes: outage.notes,
    }
  },
})
