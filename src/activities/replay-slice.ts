import { activityInfo, cancellationSignal } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import { subscribes } from '../domain/endpoint.js'
import type { ReplayCursor, ReplayRecord } from '../domain/replay.js'
import { isUsable } from '../store/endpoint-store.js'
import { pastEvents } from '../temporal/past-events.js'
import { workInOrder } from './in-order.js'
import { createReplaySender, type ReplayDependencies, type Step } from './replay-sender.js'
import { countGoingOn } from './replayed-events.js'
import { withHeartbeats } from './with-heartbeats.js'

/** How long a slice takes, in milliseconds: a crash repeats no more, and a pause begins no later. */
const SLICE_MS = 5_000

/** What a slice is about. */
export interface ReplaySliceInput {
  replay: ReplayRecord
  /** Where the slice before has ended. */
  cursor?: ReplayCursor | undefined
}

/** What a slice has come to; its numbers are to be added, but for `waiting`, which is of the whole replay. */
export interface ReplaySliceOutcome extends Pick<
  ReplayRecord,
  'sent' | 'wentOn' | 'waiting' | 'skipped' | 'missing' | 'heldUp'
> {
  cursor?: ReplayCursor
  /** Whether nothing is left. */
  isDone: boolean
}

/**
 * Sends the next past events to the endpoint for a few seconds, beginning in the order in which they were accepted. What was
 * under way when a slice was cut by a crash is sent again by the next.
 */
export function createReplaySlice(dependencies: ReplayDependencies) {
  return ({ replay, cursor: after }: ReplaySliceInput): Promise<ReplaySliceOutcome> =>
    withHeartbeats(async () => {
      const { client, endpoints, logger } = dependencies
      const { id, since, until = since, type } = replay
      const { taskQueue } = activityInfo()
      const signal = cancellationSignal()
      const endpoint = await endpoints.getLatest(replay.endpoint)
      if (endpoint === undefined) throw endpointRemoved(replay.endpoint)
      const waiting = await countGoingOn(client, id)
      const sender = await createReplaySender(dependencies, { replay, endpoint, taskQueue, waiting, signal })
      const filters = [
        isUsable(endpoint) ? endpoint.events : undefined,
        type === undefined ? undefined : [type],
      ]
      const found = pastEvents({
        client,
        taskQueue,
        since,
        until,
        after,
        wantsType: (wanted) =>
          filters.every((events) => events === undefined || subscribes({ events }, wanted)),
      })
      const endsAt = performance.now() + SLICE_MS
      const { results, isExhausted, error } = await workInOrder(found, {
        concurrency: sender.concurrency,
        mayGoOn: () => performance.now() < endsAt && !signal.aborted,
        work: (next) => sender.take(next),
      })
      await sender.turn()
      if (error !== undefined && results.length === 0) throw error as Error
      if (error !== undefined) logger.warn({ err: error, replay: id }, 'a slice of a replay was cut short')
      const { heldUp } = sender
      const sum = sumOf(results)
      const cursor = results.at(-1)?.cursor ?? after
      return {
        ...sum,
        waiting: waiting + sum.wentOn,
        isDone: isExhausted,
        ...(cursor !== undefined && { cursor }),
        ...(heldUp !== undefined && { heldUp }),
      }
    })
}

function sumOf(steps: readonly Step[]): Omit<Required<Step>, 'cursor'> {
  const sum = { sent: 0, wentOn: 0, skipped: 0, missing: 0 }
  for (const step of steps) {
    sum.sent += step.sent ?? 0
    sum.wentOn += step.wentOn ?? 0
    sum.skipped += step.skipped ?? 0
    sum.missing += step.missing ?? 0
  }
  return sum
}

function endpointRemoved(name: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`endpoint ${JSON.stringify(name)} was removed`, 'ENDPOINT_NOT_FOUND')
}
