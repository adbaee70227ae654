import { LRUCache } from 'lru-cache'
import type { Execution } from './execution.js'
import type { FirstOutcome } from './first-attempts.js'

/** More than a worker delivers until Temporal has run a workflow task again. */
const MAX_REMEMBERED = 10_000

/**
 * First attempts that delivered, by run and endpoint. Temporal does not take the end of a workflow whose task a
 * signal ran into (`UnhandledCommand`), and runs the task again with its local activities: what was delivered would
 * be sent once more.
 */
export class DeliveredBefore {
  readonly #outcomes = new LRUCache<string, FirstOutcome>({ max: MAX_REMEMBERED })

  /** What `attempt` comes to, or came to where it has delivered. */
  async or(
    { runId }: Pick<Execution, 'runId'>,
    endpoint: string,
    attempt: () => Promise<FirstOutcome>,
  ): Promise<FirstOutcome> {
    const delivery = `${runId}/${endpoint}`
    const before = this.#outcomes.get(delivery)
    if (before !== undefined) return before
    const outcome = await attempt()
    if (outcome.kind === 'delivered') this.#outcomes.set(delivery, outcome)
    return outcome
  }
}
