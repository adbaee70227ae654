import {
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import { hasEnded } from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { describeParts } from './current-details.js'
import {
  partAttemptedSignal,
  SYNC_EVENT_WORKFLOW,
  type EventPart,
  type SyncEventInput,
  type SyncEventResult,
} from './messages.js'
import type { syncEvent } from './sync-event.js'

/** Parts that make their first attempts at the same time: more would make the worker slow, and take its memory. */
const MAX_ATTEMPTING = 5

/** An event that is delivered by workflows for a part of its endpoints each, as they are too many for one. */
export class EventParts {
  readonly parts: EventPart[]
  readonly #endpoints: readonly (readonly string[])[]
  /** The parts whose first attempts are over. */
  readonly #attempted = new Set<string>()

  constructor(endpoints: readonly (readonly string[])[]) {
    const { workflowId } = workflowInfo()
    this.#endpoints = endpoints
    this.parts = endpoints.map(({ length }, index) => ({
      workflowId: `${workflowId}/${index + 1}`,
      deliveries: length,
      delivered: 0,
      discarded: 0,
    }))
  }

  /** The workflow that has the delivery to an endpoint. */
  partOf(endpoint: string): string | undefined {
    const index = this.#endpoints.findIndex((names) => names.includes(endpoint))
    return this.parts[index]?.workflowId
  }

  /** Starts the parts, a few at a time, and waits until each has ended. */
  async run(event: SyncEvent, acceptedAt: string): Promise<SyncEventResult> {
    setHandler(partAttemptedSignal, (workflowId) => void this.#attempted.add(workflowId))
    setCurrentDetails(describeParts(this.parts))
    await Promise.all(this.parts.map((_, index) => this.#runPart(index, event, acceptedAt)))
    return { deliveries: [], parts: this.parts }
  }

  async #runPart(index: number, event: SyncEvent, acceptedAt: string): Promise<void> {
    const part = this.parts[index]!
    const input: SyncEventInput = {
      event,
      acceptedAt,
      firstAttempts: 'together',
      endpoints: [...this.#endpoints[index]!],
      tellsParent: true,
    }
    if (index >= MAX_ATTEMPTING) await condition(() => this.#attempted.size > index - MAX_ATTEMPTING)
    const child = await startChild<typeof syncEvent>(SYNC_EVENT_WORKFLOW, {
      workflowId: part.workflowId,
      // One of an event that was terminated a moment ago may not have ended yet.
      workflowIdReusePolicy: 'TERMINATE_IF_RUNNING',
      args: [input],
      staticSummary: `${event.type} · part ${index + 1} of ${this.parts.length}`,
    })
    try {
      Object.assign(part, countsOf(await child.result()))
    } catch (error) {
      const isOwnEnd = CancellationScope.current().consideredCancelled
      if (isOwnEnd || !(error instanceof ChildWorkflowFailure)) throw error
      // An operator has ended this part; the others go on.
      part.discarded = part.deliveries
    }
    this.#attempted.add(part.workflowId)
    setCurrentDetails(describeParts(this.parts))
  }
}

function countsOf({ deliveries, parts = [] }: SyncEventResult): Pick<EventPart, 'delivered' | 'discarded'> {
  const ended = deliveries.filter(hasEnded)
  const delivered = ended.filter(({ state }) => state === 'delivered').length
  return {
    delivered: delivered + sum(parts.map((part) => part.delivered)),
    discarded: ended.length - delivered + sum(parts.map((part) => part.discarded)),
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
