import { LRUCache } from 'lru-cache'
import type { Execution } from './execution.js'
import type { FirstAttempts, FirstAttemptsInput } from './first-attempts.js'

/** Events whose attempts nobody has asked for; more are forgotten, the oldest first, and attempted once more. */
const MAX_REMEMBERED = 1_000

type MakeFirstAttempts = (
  input: FirstAttemptsInput,
  execution: Execution,
  emittedAt: number,
) => Promise<FirstAttempts>

/**
 * First attempts that begin as soon as Temporal has accepted an event, where it has given the event to the worker of
 * the emitter's own process: what the worker needs until its activity runs is then no part of how late a delivery is.
 * The activity takes what has come of them. Should it never run here, the event is attempted once more.
 */
export class HeadStarts {
  readonly #begun = new LRUCache<string, Promise<FirstAttempts>>({ max: MAX_REMEMBERED })
  /** Runs whose activity was quicker than the emitter. */
  readonly #late = new LRUCache<string, true>({ max: MAX_REMEMBERED })
  #make: MakeFirstAttempts | undefined

  /** The worker says how attempts are made. */
  makeBy(make: MakeFirstAttempts): void {
    this.#make = make
  }

  /**
   * Called by the emitter when its event was accepted.
   * @param emittedAt when it was emitted, on this process's own clock: who was subscribed then gets it
   */
  begin(input: FirstAttemptsInput, execution: Execution, emittedAt: number): void {
    const { runId } = execution
    if (this.#make === undefined || this.#late.delete(runId)) return
    const made = this.#make(input, execution, emittedAt)
    // Whoever takes it hears of it.
    made.catch(() => undefined)
    this.#begun.set(runId, made)
  }

  /** Called by the activity, once for each time that it runs. @returns undefined where it has to make them itself */
  take({ runId }: Execution): Promise<FirstAttempts> | undefined {
    const made = this.#begun.get(runId)
    this.#begun.delete(runId)
    if (made !== undefined) return made
    this.#late.set(runId, true)
    return undefined
  }
}
