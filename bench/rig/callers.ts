import { closedLoop } from './closed-loop.js'
import { eventIdOf } from './sink-messages.js'

/** By which events are emitted. */
export interface Emitter {
  /** Resolves when the event is accepted. */
  emit(type: string, data: unknown, options: { id: string }): Promise<unknown>
  /** The same for several at once. */
  emitMany(events: readonly { type: string; data: unknown; id: string }[]): Promise<unknown>
}

/** What callers emit. */
export interface Calls {
  type: string
  data: unknown
  phase: string
  events: number
  /** How many emit at the same time, each its next event or events when the last ones were accepted. */
  callers: number
  /** How many events each call emits; more than one go as an array. @default 1 */
  eventsPerCall?: number | undefined
}

/** Those who emit. */
export interface Callers {
  /** @returns when each event's call began, in epoch milliseconds with a fraction */
  emitAll(calls: Calls): Promise<number[]>
}

/** Callers in this process. */
export function callersOf(emitter: Emitter): Callers {
  return {
    emitAll: async ({ type, data, phase, events, callers, eventsPerCall = 1 }) => {
      const emittedAtMs: number[] = []
      await closedLoop({ count: Math.ceil(events / eventsPerCall), concurrency: callers }, async (call) => {
        const first = call * eventsPerCall
        const given = Array.from({ length: Math.min(eventsPerCall, events - first) }, (_, index) => {
          emittedAtMs[first + index] = epochMs()
          return { type, data, id: eventIdOf(phase, first + index) }
        })
        return eventsPerCall > 1
          ? emitter.emitMany(given)
          : emitter.emit(type, data, { id: eventIdOf(phase, first) })
      })
      return emittedAtMs
    },
  }
}

/** As the sink counts them too. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
