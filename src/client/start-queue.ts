import type { Client } from '@temporalio/client'
import type { Execution } from '../activities/execution.js'
import type { Config } from '../config.js'
import { SyncError } from '../domain/errors.js'
import type { SyncEvent } from '../domain/event.js'
import { MAX_GROUP_EVENTS } from '../domain/group-token.js'
import { canStartEagerly } from '../temporal/eager-start.js'
import type { SyncEventInput } from '../workflows/messages.js'
import { wasCutShort } from './cut-short.js'
import { RecentEvents } from './recent-events.js'
import { notAccepted, startEvent, startGroup, type Receipt, type Started } from './start-events.js'
import type { WorkerPace } from './worker-pace.js'

/** Starts under way at the same time; more would only wait in the server, where their time limit passes. */
const MAX_STARTS = 100

/**
 * As many where the worker is in this process, each until the worker gets to it: a flood of starts would leave it
 * and the server no time for what was started, and workflow tasks would queue beyond their time limit.
 */
const MAX_EAGER_STARTS = 16

/** As many where events go in groups: while they are under way, a group gathers. */
const MAX_GROUPS = 2

/** How long a worker that does not get to it keeps the next start waiting, in milliseconds. */
const MAX_HELD_MS = 1_000

/** The same for a group: a busy worker has up to thousands of attempts to begin. */
const MAX_GROUP_HELD_MS = 5_000

/**
 * A group's events in bytes of JSON. Beside what is said of their deliveries, a workflow task starts a workflow
 * for each of them at worst, and Temporal takes 4 MiB in one message.
 */
const MAX_GROUP_BYTES = 500_000

interface WaitingStart {
  /** On this process's own clock. */
  emittedAt: number
  input: Omit<SyncEventInput, 'firstAttempts'>
  resolve: (receipt: Receipt) => void
  reject: (error: unknown) => void
}

interface StartQueueOptions {
  client: Client
  taskQueue: string
  grouping: Config['grouping']
  /** Of the worker of this process, where there is one. */
  pace?: WorkerPace | undefined
}

/** Hands events to Temporal in the order in which they come, not all at once; an idle one waits for nothing. */
export class StartQueue {
  readonly #waiting: WaitingStart[] = []
  readonly #recent: RecentEvents | undefined
  readonly #maxUnderWay: number
  #underWay = 0

  constructor(private readonly options: StartQueueOptions) {
    const { client, grouping } = options
    const maxStarts = canStartEagerly(client) ? MAX_EAGER_STARTS : MAX_STARTS
    this.#maxUnderWay = grouping === 'auto' ? MAX_GROUPS : maxStarts
    this.#recent =
      grouping === 'auto'
        ? new RecentEvents((event, { workflowId }) => wasCutShort(client, event, workflowId))
        : undefined
  }

  /**
   * Resolves when Temporal has accepted the event.
   * @throws {EventConflictError} when it had been accepted before, with other data
   * @throws {SyncError} `EVENT_NOT_ACCEPTED`, with the id under which to emit it again, which is harmless
   */
  start(input: WaitingStart['input']): Promise<Receipt> {
    const enqueue = (): Promise<Receipt> =>
      new Promise((resolve, reject) => {
        this.#waiting.push({ emittedAt: performance.now(), input, resolve, reject })
        // Those that are emitted in the same turn go together.
        queueMicrotask(() => this.#startNext())
      })
    return this.#recent === undefined ? enqueue() : this.#recent.once(input.event, enqueue)
  }

  /** The workflow that took an event which went in a group lately. */
  async groupOf(event: Pick<SyncEvent, 'type' | 'id'>): Promise<string | undefined> {
    return this.#recent?.workflowOf(event)
  }

  #startNext(): void {
    while (this.#underWay < this.#maxUnderWay && this.#waiting.length > 0) {
      this.#underWay += 1
      void this.#startTogether(this.#take()).finally(() => {
        this.#underWay -= 1
        this.#startNext()
      })
    }
  }

  /** What goes next: one event, or with grouping as many as a group takes. */
  #take(): WaitingStart[] {
    if (this.options.grouping === 'off') return this.#waiting.splice(0, 1)
    let count = 0
    let bytes = 0
    for (const { input } of this.#waiting.slice(0, MAX_GROUP_EVENTS)) {
      bytes += Buffer.byteLength(JSON.stringify(input.event))
      if (count > 0 && bytes > MAX_GROUP_BYTES) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  async #startTogether(group: readonly WaitingStart[]): Promise<void> {
    try {
      const { receipts, isEager, runId } = await this.#send(group.map(({ input }) => input))
      for (const [index, { resolve }] of group.entries()) resolve(receipts[index]!)
      if (isEager && runId !== undefined) this.#beginAttempts(group[0]!, { ...receipts[0]!, runId })
      const heldMs = group.length > 1 ? MAX_GROUP_HELD_MS : MAX_HELD_MS
      if (isEager) await this.options.pace?.begun(receipts[0]!.workflowId, heldMs)
    } catch (error) {
      for (const { input, reject } of group) {
        reject(error instanceof SyncError ? error : notAccepted(input.event, error))
      }
    }
  }

  /** The worker of this process has it, and would begin a little later. */
  #beginAttempts({ input, emittedAt }: WaitingStart, execution: Execution): void {
    const acceptedAt = new Date().toISOString()
    this.options.pace?.headStarts.begin({ ...input, acceptedAt }, execution, emittedAt)
  }

  #send(inputs: readonly WaitingStart['input'][]): Promise<Started> {
    const { client, taskQueue } = this.options
    const [first, ...others] = inputs
    if (others.length === 0) return startEvent(client, taskQueue, first!)
    const revisions = inputs.flatMap(({ registryRevision }) => registryRevision ?? [])
    return startGroup(client, taskQueue, {
      events: inputs.map(({ event }) => event),
      ...(revisions.length > 0 && { registryRevision: Math.max(...revisions) }),
    })
  }
}
