import { setTimeout as sleep } from 'node:timers/promises'
import { callersOf, epochMs, type Callers, type Emitter } from './callers.js'
import { cpuPerDelivery, readCpuTimes, type CpuTimes } from './cpu.js'
import { registerEndpoints, type EndpointGroup } from './endpoints.js'
import { eventIdOf } from './sink-messages.js'
import type { Trial } from './trial.js'

/** Deliveries that have not arrived by then are lost. */
const ARRIVED_WITHIN_MS = 180_000

const WARM_UP_EMITTERS = 20

/** About 100 bytes, as a status update has. */
const DATA = { id: 'SAFETY-7', title: 'Helipad closed at night', content: 'No landings from 22:00 to 06:00.' }

/** Events to emit and to wait for. */
export interface Load {
  /** Names the phase in what is reported. */
  name: string
  endpoints: EndpointGroup
  events: number
  /** How many emit at the same time, each its next event when the last one was accepted. */
  emitters: number
  /** More than one go in an array. @default 1 */
  eventsPerCall?: number
  /** @default those of the system's service, in this process */
  callers?: Callers
  /** @default about 100 bytes */
  data?: unknown
}

/** What a load came to. */
export interface LoadResult {
  /** From the first emit to the last arrival. */
  seconds: number
  eventsPerS: number
  deliveriesPerS: number
  /** Accepted events per second, from the first emit to the last receipt. */
  emitsPerS: number
  cpuMsPerDelivery: CpuTimes
  /** From the call of emit to the arrival of the request, for each delivery. */
  latenciesMs: number[]
}

/** Emits in a closed loop and waits until the sink has answered every delivery. */
export async function runLoad(trial: Trial, load: Load): Promise<LoadResult> {
  const { sink, system, temporal } = trial
  const {
    name,
    endpoints,
    events,
    emitters,
    eventsPerCall,
    callers = callersOf(system.service),
    data = DATA,
  } = load
  const phase = trial.nextPhase(name)
  const deliveries = events * endpoints.paths.length
  trial.expect({ phase, events, paths: endpoints.paths })
  const processes = { serverPid: temporal.pid, sinkPid: sink.pid }

  const cpuBefore = readCpuTimes(processes)
  const startedMs = epochMs()
  const { type } = endpoints
  const emittedAtMs = await callers.emitAll({ type, data, phase, events, callers: emitters, eventsPerCall })
  const emittedMs = epochMs()
  await sink.untilAnswered(phase, deliveries, ARRIVED_WITHIN_MS)
  const cpuAfter = readCpuTimes(processes)

  const arrivals = await sink.arrivals(phase)
  const lastMs = arrivals.reduce((latest, [, atMs]) => Math.max(latest, atMs), startedMs)
  const seconds = (lastMs - startedMs) / 1_000
  return {
    seconds,
    eventsPerS: events / seconds,
    deliveriesPerS: deliveries / seconds,
    emitsPerS: events / ((emittedMs - startedMs) / 1_000),
    cpuMsPerDelivery: cpuPerDelivery(cpuBefore, cpuAfter, deliveries),
    latenciesMs: arrivals.map(([event, atMs]) => atMs - (emittedAtMs[event] ?? Number.NaN)),
  }
}

/** Emits one event at a time, each when the one before has arrived and a pause has passed. */
export async function runSequentially(
  trial: Trial,
  load: Pick<Load, 'name' | 'endpoints' | 'events'> & {
    pauseMs: number
    /** @default the system's service */
    emitter?: Emitter
  },
): Promise<Pick<LoadResult, 'latenciesMs' | 'cpuMsPerDelivery'>> {
  const { sink, system, temporal } = trial
  const { name, endpoints, events, pauseMs, emitter = system.service } = load
  const phase = trial.nextPhase(name)
  trial.expect({ phase, events, paths: endpoints.paths })
  const processes = { serverPid: temporal.pid, sinkPid: sink.pid }
  const emittedAtMs: number[] = []
  const cpuBefore = readCpuTimes(processes)
  for (let event = 0; event < events; event += 1) {
    await sleep(pauseMs)
    emittedAtMs.push(epochMs())
    await emitter.emit(endpoints.type, DATA, { id: eventIdOf(phase, event) })
    await sink.untilAnswered(phase, (event + 1) * endpoints.paths.length, ARRIVED_WITHIN_MS)
  }
  const arrivals = await sink.arrivals(phase)
  return {
    latenciesMs: arrivals.map(([event, atMs]) => atMs - (emittedAtMs[event] ?? Number.NaN)),
    cpuMsPerDelivery: cpuPerDelivery(cpuBefore, readCpuTimes(processes), events * endpoints.paths.length),
  }
}

/** Emits events of another type until compilers, connections and caches are warm. */
export async function warmUp(trial: Trial): Promise<void> {
  await runLoad(trial, {
    name: 'warm-up',
    endpoints: await registerEndpoints(trial, { count: 1 }),
    events: trial.warmUpCount,
    emitters: WARM_UP_EMITTERS,
  })
}
