import { setTimeout as sleep } from 'node:timers/promises'
import { waitingQuery } from '../../dist/domain/search-attributes.js'
import { closedLoop } from './closed-loop.js'
import type { EndpointGroup } from './endpoints.js'
import { eventIdOf } from './sink-messages.js'
import type { Trial } from './trial.js'

const LOOK_INTERVAL_MS = 500
const DATA = { id: 'SAFETY-8', title: 'Helipad open again' }

/** Events to an endpoint in trouble, emitted beside what is measured. */
export interface TroubledEvents {
  /** Where the sink counts them. */
  readonly phase: string
  /** How many were emitted so far. */
  readonly emitted: number
  /** Emits so many more, as fast as they are accepted. */
  emit(count: number, emitters: number): Promise<void>
  /** Emits one more each `intervalMs` until the returned function is called, which waits for the last. */
  emitPaced(intervalMs: number): () => Promise<void>
}

/** Events for the one endpoint of `endpoints`. */
export function createTroubledEvents(trial: Trial, name: string, { type }: EndpointGroup): TroubledEvents {
  const phase = trial.nextPhase(name)
  let emitted = 0
  const emitOne = async (): Promise<void> => {
    const event = emitted
    emitted += 1
    await trial.system.service.emit(type, DATA, { id: eventIdOf(phase, event) })
  }
  return {
    phase,
    get emitted() {
      return emitted
    },
    emit: (count, concurrency) => closedLoop({ count, concurrency }, emitOne),
    emitPaced: (intervalMs) => {
      const stopping = new AbortController()
      const done = (async () => {
        while (!stopping.signal.aborted) {
          await emitOne()
          await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined)
        }
      })()
      return () => {
        stopping.abort()
        return done
      }
    },
  }
}

/** Waits until so many events wait for the endpoint, or the time is over. @returns how many wait then */
export async function untilWaiting(
  { system: { client, taskQueue } }: Trial,
  endpoint: string,
  { count, timeoutMs }: { count: number; timeoutMs: number },
): Promise<number> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const waiting = (await client.workflow.count(waitingQuery(endpoint, taskQueue))).count
    if (waiting >= count || Date.now() > deadline) return waiting
    await sleep(LOOK_INTERVAL_MS)
  }
}
