import { setTimeout as sleep } from 'node:timers/promises'
import { registerEndpoints } from '../rig/endpoints.js'
import { runLoad, warmUp } from '../rig/load.js'
import { beginOutage } from '../rig/outage.js'
import type { Trial } from '../rig/trial.js'
import { defineScenario } from '../scenario.js'

/** What a healthy endpoint loses by thousands of deliveries that wait for another one. */
export const backlog = defineScenario({
  name: 'backlog',
  description: 'events to a healthy endpoint while deliveries wait for one that refuses connections',
  bars: [{ field: 'healthy_ratio', atLeast: 0.8 }],
  counts: { waiting: 2_000, waitingWithinMs: 120_000, countCallsMs: 15_000, events: 1_000, emitters: 50 },
  quickCounts: { waiting: 50, waitingWithinMs: 5_000, countCallsMs: 1_000, events: 50, emitters: 20 },
  measure: async (trial, { waiting, waitingWithinMs, countCallsMs, events, emitters }) => {
    const healthy = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const alone = await runLoad(trial, { name: 'healthy-alone', endpoints: healthy, events, emitters })
    const outage = await beginOutage(trial, { count: waiting, emitters, waitingWithinMs })
    trial.expectOpen(waiting)
    const callsPerS = await countCallsPerS(trial, countCallsMs)
    const beside = await runLoad(trial, { name: 'healthy-beside', endpoints: healthy, events, emitters })
    return {
      measures: {
        healthy_ratio: beside.eventsPerS / alone.eventsPerS,
        server_calls_per_s_waiting: callsPerS,
        alone_events_per_s: alone.eventsPerS,
        beside_events_per_s: beside.eventsPerS,
      },
      cpuMsPerDelivery: beside.cpuMsPerDelivery,
      notes: outage.notes,
    }
  },
})

/** The calls of worker and clients, of which long polls that come back empty are a few. */
async function countCallsPerS({ temporal }: Trial, durationMs: number): Promise<number | undefined> {
  const before = await temporal.countCalls()
  await sleep(durationMs)
  const after = await temporal.countCalls()
  return before === undefined || after === undefined ? undefined : (after - before) / (durationMs / 1_000)
}
