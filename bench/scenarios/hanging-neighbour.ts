import { registerEndpoints } from '../rig/endpoints.js'
import { runLoad, warmUp } from '../rig/load.js'
import { percentile } from '../rig/statistics.js'
import { createTroubledEvents } from '../rig/troubled-events.js'
import { defineScenario } from '../scenario.js'

const FIRST_REQUEST_WITHIN_MS = 30_000
const RELEASED_WITHIN_MS = 180_000

/** What a healthy endpoint loses by a neighbour that takes requests and never answers. */
export const hangingNeighbour = defineScenario({
  name: 'hanging-neighbour',
  description:
    'events to a healthy endpoint beside one that never answers, which more events wait for than a worker has slots',
  bars: [
    { field: 'healthy_ratio', atLeast: 0.9 },
    { field: 'p99_ratio', atMost: 1.5 },
  ],
  counts: { events: 1_000, emitters: 20, hangingAtFirst: 200, hangingIntervalMs: 500 },
  quickCounts: { events: 50, emitters: 20, hangingAtFirst: 20, hangingIntervalMs: 500 },
  measure: async (trial, { events, emitters, hangingAtFirst, hangingIntervalMs }) => {
    const { sink } = trial
    const healthy = await registerEndpoints(trial, { count: 1 })
    const hangingPort = await sink.listen()
    const hanging = await registerEndpoints(trial, { count: 1, port: hangingPort })
    await sink.behave(hangingPort, 'hang')
    await warmUp(trial)
    const alone = await runLoad(trial, { name: 'healthy-alone', endpoints: healthy, events, emitters })

    const troubled = createTroubledEvents(trial, 'hanging', hanging)
    await troubled.emit(hangingAtFirst, emitters)
    await sink.untilReceived(troubled.phase, 1, FIRST_REQUEST_WITHIN_MS)
    const stop = troubled.emitPaced(hangingIntervalMs)
    const beside = await runLoad(trial, { name: 'healthy-beside', endpoints: healthy, events, emitters })
    await stop()

    await sink.behave(hangingPort, 'answer')
    trial.expect({ phase: troubled.phase, events: troubled.emitted, paths: hanging.paths })
    await sink.untilAnswered(troubled.phase, troubled.emitted, RELEASED_WITHIN_MS)
    const [aloneP99Ms, besideP99Ms] = [percentile(alone.latenciesMs, 99), percentile(beside.latenciesMs, 99)]
    return {
      measures: {
        healthy_ratio: beside.eventsPerS / alone.eventsPerS,
        p99_ratio: besideP99Ms / aloneP99Ms,
        alone_events_per_s: alone.eventsPerS,
        beside_events_per_s: beside.eventsPerS,
        alone_p99_ms: aloneP99Ms,
        beside_p99_ms: besideP99Ms,
      },
      cpuMsPerDelivery: beside.cpuMsPerDelivery,
    }
  },
})
