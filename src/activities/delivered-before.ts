import type { FirstOutcome } from './first-attempts.js'

/** More than a worker delivers until Temporal has run a workflow task again. */
const MAX_REMEMBERED = 10_000

/**
 * First attempts that delivered, by delivery. Temporal does not take the end of a workflow whose task a signal ran
 * into (`UnhandledCommand`), and runs the task again with its local activities: what was delivered would be sent
 * once more.
 */
export class DeliveredBefore {
  readonly #outcomes = new Map<string, FirstOutcome>()
  /** One for good: a new iterator would pass over all that was deleted since the map was last rebuilt. */
  readonly #oldestFirst = this.#outcomes.keys()

  /** What `attempt` comes to, or came to where it has delivered. @param delivery unique to a run and endpoint */
  async or(delivery: string, attempt: () => Promise<FirstOutcome>): Promise<FirstOutcome> {
    const before = this.#outcomes.get(delivery)
    if (before !== undefined) return before
    const outcome = await attempt()
    if (outcome.kind === 'delivered') this.#remember(delivery, outcome)
    return outcome
  }

  #remember(delivery: string, outcome: FirstOutcome): void {
    this.#outcomes.set(delivery, outcome)
    if (this.#outcomes.size <= MAX_REMEMBERED) return
    const { value: oldest } = this.#oldestFirst.next()
    if (oldest !== undefined) this.#outcomes.delete(oldest)
  }
}
