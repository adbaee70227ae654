import { LRUCache } from 'lru-cache'
import { hashOf } from '../domain/data-hash.js'
import { EventConflictError } from '../domain/errors.js'
import type { SyncEvent } from '../domain/event.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import type { Receipt } from './start-events.js'

/** Events that are remembered. */
const MAX_REMEMBERED = 20_000

interface RecentEvent {
  dataHash: string
  accepted: Promise<Receipt>
}

/** What this process has emitted lately: where events go in groups, Temporal does not tell one from its repetition. */
export class RecentEvents {
  readonly #events = new LRUCache<string, RecentEvent>({ max: MAX_REMEMBERED })

  /** `wasCutShort` tells of an accepted event whether its workflow was ended before it was delivered. */
  constructor(private readonly wasCutShort: (event: SyncEvent, receipt: Receipt) => Promise<boolean>) {}

  /**
   * Accepts the event once: a repetition gets the receipt of the first, and is accepted anew where that one was not
   * or was cut short.
   * @throws {EventConflictError} when the same type and id were accepted with other data
   */
  async once(event: SyncEvent, accept: () => Promise<Receipt>): Promise<Receipt> {
    const workflowId = workflowIdOf(event)
    const dataHash = hashOf(event.data)
    for (;;) {
      const earlier = this.#events.get(workflowId)
      if (earlier === undefined) break
      const receipt = await earlier.accepted.catch(() => undefined)
      if (receipt === undefined || (await this.#wasCutShort(event, receipt))) {
        this.#forget(workflowId, earlier)
        continue
      }
      if (earlier.dataHash !== dataHash) throw new EventConflictError(event.type, event.id)
      return { ...receipt, duplicate: true }
    }
    const accepted = accept()
    const remembered = { dataHash, accepted }
    this.#events.set(workflowId, remembered)
    accepted.catch(() => this.#forget(workflowId, remembered))
    return accepted
  }

  /** The workflow that took the event, where it is remembered. */
  async workflowOf(event: Pick<SyncEvent, 'type' | 'id'>): Promise<string | undefined> {
    const receipt = await this.#events.peek(workflowIdOf(event))?.accepted.catch(() => undefined)
    return receipt?.workflowId
  }

  /** Where Temporal does not say, the event is what it was when it was accepted. */
  #wasCutShort(event: SyncEvent, receipt: Receipt): Promise<boolean> {
    return this.wasCutShort(event, receipt).catch(() => false)
  }

  #forget(workflowId: string, event: RecentEvent): void {
    if (this.#events.get(workflowId) === event) this.#events.delete(workflowId)
  }
}
