import { LRUCache } from 'lru-cache'
import { HeadStarts } from '../activities/head-starts.js'
import { untilCalled } from '../until-called.js'

/** Workflows that are remembered until their starter asks; others were started elsewhere. */
const MAX_REMEMBERED = 1_000

/** Tells the emitter in a worker's process when the worker gets to what was started, and the worker what was begun. */
export class WorkerPace {
  readonly headStarts = new HeadStarts()
  readonly #expected = new Map<string, () => void>()
  readonly #begun = new LRUCache<string, true>({ max: MAX_REMEMBERED })

  /** Called by the worker when it begins with the first attempts of a workflow. */
  hasBegun(workflowId: string): void {
    const tell = this.#expected.get(workflowId)
    if (tell !== undefined) return tell()
    this.#begun.set(workflowId, true)
  }

  /** Resolves when it has, at the latest after `withinMs`. */
  begun(workflowId: string, withinMs: number): Promise<void> {
    if (this.#begun.delete(workflowId)) return Promise.resolve()
    return untilCalled(withinMs, (call) => {
      this.#expected.set(workflowId, call)
      return () => this.#expected.delete(workflowId)
    })
  }
}
