import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { canStartEagerly } from '../temporal/eager-start.js'
import { workflowIdOf } from '../domain/event.js'
import type { SyncEventInput } from '../workflows/messages.js'
import type { WorkerPace } from './worker-pace.js'
import { startEvent, type Receipt } from './start-event.js'

/** Starts under way at the same time; more would only wait in the server, where their time limit passes. */
const MAX_STARTS = 100

/**
 * As many where the worker is in this process, each until the worker gets to it: a flood of starts would leave it
 * and the server no time for what was started, and workflow tasks would queue beyond their time limit.
 */
const MAX_EAGER_STARTS = 16

/** How long a worker that does not get to it keeps the next start waiting, in milliseconds. */
const MAX_HELD_MS = 1_000

interface WaitingStart {
  input: SyncEventInput
  resolve: (receipt: Receipt) => void
  reject: (error: unknown) => void
}

/** Hands events to Temporal in the order in which they come, not all at once; an idle one waits for nothing. */
export class StartQueue {
  readonly #waiting: WaitingStart[] = []
  readonly #maxUnderWay: number
  #underWay = 0

  /** @param pace of the worker of this process, where there is one */
  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
    private readonly pace?: WorkerPace,
  ) {
    this.#maxUnderWay = canStartEagerly(client) ? MAX_EAGER_STARTS : MAX_STARTS
  }

  /** Resolves when Temporal has accepted the event, and rejects as {@link startEvent} does. */
  start(input: SyncEventInput): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject })
      this.#startNext()
    })
  }

  #startNext(): void {
    while (this.#underWay < this.#maxUnderWay) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#underWay += 1
      void this.#startOne(next).finally(() => {
        this.#underWay -= 1
        this.#startNext()
      })
    }
  }

  async #startOne({ input, resolve, reject }: WaitingStart): Promise<void> {
    const first = this.pace?.expect(workflowIdOf(input.event))
    try {
      const { isEager, ...receipt } = await startEvent(this.client, this.taskQueue, input)
      resolve(receipt)
      if (isEager) await Promise.race([first?.begun, sleep(MAX_HELD_MS, undefined, { ref: false })])
    } catch (error) {
      reject(error)
    } finally {
      first?.forget()
    }
  }
}
