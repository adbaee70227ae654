import { registerEndpoints } from '../rig/endpoints.js'
import { runLoad, warmUp, type Load, type LoadResult } from '../rig/load.js'
import type { Trial } from '../rig/trial.js'
import { defineScenario, type Measures } from '../scenario.js'

const BYTES_PER_KIB = 1024

/** Events of each point by what grows; larger ones are slower. */
const ENDPOINTS = [
  [1, 500],
  [5, 300],
  [20, 150],
  [100, 50],
] as const
const KIB_OF_DATA = [
  [1, 400],
  [10, 300],
  [100, 120],
  [250, 60],
] as const
const OTHER_ENDPOINTS = [
  [0, 400],
  [1_000, 400],
  [10_000, 400],
] as const

/** What more endpoints, more data and more registered endpoints cost. */
export const growth = defineScenario({
  name: 'growth',
  description: 'events/s and CPU as endpoints, data and registered endpoints grow',
  bars: [],
  counts: { emitters: 50, percentOfEvents: 100 },
  quickCounts: { emitters: 20, percentOfEvents: 10 },
  repetitions: 1,
  measure: async (trial, { emitters, percentOfEvents }) => {
    await warmUp(trial)
    const run = async (load: Pick<Load, 'name' | 'events' | 'endpoints' | 'data'>): Promise<Measures> =>
      measuresOf(
        load.name,
        await runLoad(trial, {
          ...load,
          emitters,
          events: Math.ceil((load.events * percentOfEvents) / 100),
        }),
      )
    const measures: Measures[] = []
    for (const [count, events] of ENDPOINTS) {
      const endpoints = await registerEndpoints(trial, { count })
      measures.push(await run({ name: `endpoints_${count}`, endpoints, events }))
    }
    const one = await registerEndpoints(trial, { count: 1 })
    for (const [kib, events] of KIB_OF_DATA) {
      const data = { text: 'x'.repeat(kib * BYTES_PER_KIB - '{"text":""}'.length) }
      measures.push(await run({ name: `kib_${kib}`, endpoints: one, events, data }))
    }
    const alreadyThere = (await trial.system.store.list()).length
    for (const [others, events] of OTHER_ENDPOINTS) {
      await registerOthers(trial, others + alreadyThere)
      measures.push(await run({ name: `others_${others}`, endpoints: one, events }))
    }
    return { measures: Object.assign({}, ...measures) as Measures }
  },
})

function measuresOf(point: string, { eventsPerS, deliveriesPerS, cpuMsPerDelivery }: LoadResult): Measures {
  return {
    [`${point}_events_per_s`]: eventsPerS,
    [`${point}_deliveries_per_s`]: deliveriesPerS,
    [`${point}_server_cpu_ms`]: cpuMsPerDelivery.server,
    [`${point}_worker_cpu_ms`]: cpuMsPerDelivery.worker,
  }
}

/** Registers endpoints of another type until there are so many in all. */
async function registerOthers(trial: Trial, total: number): Promise<void> {
  const missing = total - (await trial.system.store.list()).length
  if (missing > 0) await registerEndpoints(trial, { count: missing })
}
