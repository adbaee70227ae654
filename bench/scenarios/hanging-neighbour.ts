import { registerEndpoints, type EndpointGroup } from '../rig/endpoints.js'
import { runLoad, warmUp, type LoadResult } from '../rig/load.js'
import { median, percentile } from '../rig/statistics.js'
import { createTroubledEvents } from '../rig/troubled-events.js'
import type { Trial } from '../rig/trial.js'
import { inTurns } from '../rig/turns.js'
import { defineScenario } from '../scenario.js'

const REQUESTED_WITHIN_MS = 30_000
const RELEASED_WITHIN_MS = 180_000

/** What a healthy endpoint loses by a neighbour that takes requests and does not answer. */
export const hangingNeighbour = defineScenario({
  name: 'hanging-neighbour',
  description:
    'events to a healthy endpoint beside one that never answers, and beside one that stops answering; more events wait for each than a worker has slots',
  bars: [
    { field: 'healthy_ratio', atLeast: 0.9 },
    { field: 'p99_ratio', atMost: 1.5 },
    { field: 'stopped_healthy_ratio', atLeast: 0.9 },
    { field: 'stopped_p99_ratio', atMost: 1.5 },
  ],
  counts: {
    eventsPerTurn: 1_000,
    emitters: 20,
    answeredAtFirst: 100,
    hangingAtFirst: 200,
    hangingIntervalMs: 500,
  },
  quickCounts: {
    eventsPerTurn: 50,
    emitters: 20,
    answeredAtFirst: 20,
    hangingAtFirst: 20,
    hangingIntervalMs: 500,
  },
  measure: async (trial, { answeredAtFirst, ...counts }) => {
    const healthy = await registerEndpoints(trial, { count: 1 })
    await warmUp(trial)
    const { eventsPerTurn: events, emitters } = counts
    const turns = await inTurns(async () => ({
      alone: await runLoad(trial, { name: 'healthy-alone', endpoints: healthy, events, emitters }),
      never: await runBesideHanging(trial, healthy, { ...counts, answeredAtFirst: 0 }),
      stopped: await runBesideHanging(trial, healthy, { ...counts, answeredAtFirst }),
    }))
    const alone = summaryOf(turns.map((turn) => turn.alone))
    const never = summaryOf(turns.map((turn) => turn.never))
    const stopped = summaryOf(turns.map((turn) => turn.stopped))
    return {
      measures: {
        healthy_ratio: never.eventsPerS / alone.eventsPerS,
        p99_ratio: never.p99Ms / alone.p99Ms,
        stopped_healthy_ratio: stopped.eventsPerS / alone.eventsPerS,
        stopped_p99_ratio: stopped.p99Ms / alone.p99Ms,
        alone_events_per_s: alone.eventsPerS,
        beside_events_per_s: never.eventsPerS,
        alone_p99_ms: alone.p99Ms,
        beside_p99_ms: never.p99Ms,
      },
      cpuMsPerDelivery: turns.at(-1)!.never.cpuMsPerDelivery,
    }
  },
})

interface HangingCounts {
  /** Events to the healthy endpoint. */
  eventsPerTurn: number
  emitters: number
  /** Events that the other endpoint takes before it hangs. */
  answeredAtFirst: number
  hangingAtFirst: number
  hangingIntervalMs: number
}

/** A load on the healthy endpoint while another one hangs, which gets all its events in the end. */
async function runBesideHanging(
  trial: Trial,
  healthy: EndpointGroup,
  { eventsPerTurn: events, emitters, answeredAtFirst, hangingAtFirst, hangingIntervalMs }: HangingCounts,
): Promise<LoadResult> {
  const { sink } = trial
  const port = await sink.listen()
  const hanging = await registerEndpoints(trial, { count: 1, port })
  const troubled = createTroubledEvents(trial, 'hanging', hanging)
  await troubled.emit(answeredAtFirst, emitters)
  await sink.untilAnswered(troubled.phase, answeredAtFirst, REQUESTED_WITHIN_MS)

  await sink.behave(port, 'hang')
  await troubled.emit(hangingAtFirst, emitters)
  await sink.untilReceived(troubled.phase, answeredAtFirst + 1, REQUESTED_WITHIN_MS)
  const stop = troubled.emitPaced(hangingIntervalMs)
  const beside = await runLoad(trial, { name: 'healthy-beside', endpoints: healthy, events, emitters })
  await stop()

  await sink.behave(port, 'answer')
  trial.expect({ phase: troubled.phase, events: troubled.emitted, paths: hanging.paths })
  await sink.untilAnswered(troubled.phase, troubled.emitted, RELEASED_WITHIN_MS)
  await trial.settle()
  return beside
}

/** The median rate of the turns, and the 99th percentile of all their deliveries. */
function summaryOf(loads: readonly LoadResult[]): { eventsPerS: number; p99Ms: number } {
  return {
    eventsPerS: median(loads.map((load) => load.eventsPerS)),
    p99Ms: percentile(
      loads.flatMap((load) => load.latenciesMs),
      99,
    ),
  }
}
