import { EventEmitter } from 'node:events'

/** A safety policy as the city's approval service keeps it. */
export interface Policy {
  id: string
  title: string
  content: string
}

/**
 * An approval service as its authors would write it: it says what happened and knows nothing of the systems
 * that have to hear of it.
 */
export class PolicyService extends EventEmitter<{ approved: [policy: Policy] }> {
  readonly #approved = new Map<string, Policy>()

  /** Approves a policy; one that is approved already stays as it is. */
  approve(policy: Policy): void {
    if (this.#approved.has(policy.id)) return
    this.#approved.set(policy.id, policy)
    this.emit('approved', policy)
  }
}
