import { registerEndpoints } from '../rig/endpoints.js'
import { runLoad, warmUp, type LoadResult } from '../rig/load.js'
import { settledMemory } from '../rig/memory.js'
import { median } from '../rig/statistics.js'
import { defineScenario } from '../scenario.js'

/** One after the other, so that what the bench itself keeps of a load is small beside what is measured. */
const PARTS = 8

/** Whether a worker holds on to what it is done with. */
export const soak = defineScenario({
  name: 'soak',
  description: 'many events to one endpoint: memory after the first quarter and at the end',
  bars: [{ field: 'rss_growth_pct', atMost: 10 }],
  counts: { eventsPerPart: 2_500, emitters: 50 },
  quickCounts: { eventsPerPart: 12, emitters: 20 },
  // Its four minutes are many events already.
  repetitions: 1,
  measure: async (trial, { eventsPerPart, emitters }) => {
    const endpoints = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const emit = async (parts: number): Promise<LoadResult[]> => {
      const loads: LoadResult[] = []
      for (let part = 1; part <= parts; part += 1) {
        loads.push(await runLoad(trial, { name: 'soak', endpoints, events: eventsPerPart, emitters }))
      }
      return loads
    }
    await emit(PARTS / 4)
    const first = await settledMemory()
    const loads = await emit((PARTS * 3) / 4)
    const last = await settledMemory()
    return {
      measures: {
        rss_growth_pct: growthPct(first.rssMb, last.rssMb),
        first_rss_mb: first.rssMb,
        last_rss_mb: last.rssMb,
        heap_growth_pct: growthPct(first.heapMb, last.heapMb),
        events_per_s: median(loads.map(({ eventsPerS }) => eventsPerS)),
      },
      cpuMsPerDelivery: loads.at(-1)!.cpuMsPerDelivery,
    }
  },
})

function growthPct(first: number, last: number): number {
  return 100 * (last / first - 1)
}
