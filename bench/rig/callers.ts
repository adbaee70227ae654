import { closedLoop } from './closed-loop.js'
import { eventIdOf } from './sink-messages.js'

/** By which events are emitted. */
export interface Emitter {
  /** Resolves when the event is accepted. */
  emit(type: string, data: unknown, options: { id: string }): Promise<unknown>
}

/** What callers emit. */
export interface Calls {
  type: string
  data: unknown
  phase: string
  events: number
  /** How many emit at the same time, each its next event when the last one was accepted. */
  callers: number
}

/** Those who emit. */
export interface Callers {
  /** @returns when each event's call began, in epoch milliseconds with a fraction */
  emitAll(calls: Calls): Promise<number[]>
}

/** Callers in this process. */
export function callersOf(emitter: Emitter): Callers {
  return {
    emitAll: async ({ type, data, phase, events, callers }) => {
      const emittedAtMs: number[] = []
      await closedLoop({ count: events, concurrency: callers }, async (event) => {
        emittedAtMs[event] = epochMs()
        await emitter.emit(type, data, { id: eventIdOf(phase, event) })
      })
      return emittedAtMs
    },
  }
}

/** As the sink counts them too. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
