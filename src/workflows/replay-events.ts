import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import type { ReplaySliceOutcome } from '../activities/replay-slice.js'
import { VISIBILITY_LAG_MS, type ReplayRecord } from '../domain/replay.js'
import { mustContinueAsNew } from './continue-as-new.js'
import { describeReplay } from './current-details.js'
import { pauseReplaySignal, resumeReplaySignal, type ReplayEventsInput, type ReplayMemo } from './messages.js'

/** How soon it looks again whether the endpoint takes events; after each time that it did not, twice as late. */
const LOOK_AGAIN_AFTER_MS = 1_000
const MAX_LOOK_AGAIN_AFTER_MS = 30_000

const { replaySlice } = proxyActivities<Activities>({
  // Attempts that are under way at its end take as long as their endpoint gives them.
  startToCloseTimeout: '10m',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
  // What it has sent counts.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
})

const { countPastEvents, countGoingOn, cancelGoingOn, countDiscarded } = proxyActivities<Activities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/**
 * Sends past events to an endpoint, a few seconds' worth at a time, and ends when the endpoint has taken each of
 * them or it was given up. Its memo says where it stands, to be read without a worker.
 */
export async function replayEvents({
  replay: given,
  cursor: from,
}: ReplayEventsInput): Promise<ReplayRecord> {
  let replay = begun(given)
  let cursor = from
  const update = (changes: Partial<ReplayRecord>): void => {
    replay = { ...replay, ...changes }
    upsertMemo({ replay } satisfies ReplayMemo)
    setCurrentDetails(describeReplay(replay))
  }
  setHandler(pauseReplaySignal, () => update({ isPaused: true }))
  setHandler(resumeReplaySignal, () => update({ isPaused: false }))

  try {
    if (replay.total === undefined) await count()
    await sendAll()
    if (replay.wentOn > 0 || replay.waiting > 0) await untilTaken()
  } catch (error) {
    // A slice that was cut by a crash may have left something that it has not told of.
    const mayHaveSent = replay.total !== undefined
    if (isCancellation(error) && mayHaveSent) await CancellationScope.nonCancellable(giveUp)
    throw error
  }
  return replay

  async function count(): Promise<void> {
    const { since, until } = replay
    update({})
    const lagMs = Date.parse(until) + VISIBILITY_LAG_MS - Date.now()
    if (lagMs > 0) await sleep(lagMs, { summary: 'until the search shows all events' })
    update({ total: await countPastEvents({ since, until }) })
  }

  async function sendAll(): Promise<void> {
    for (let isDone = false, lookAgainMs = LOOK_AGAIN_AFTER_MS; !isDone;) {
      if (replay.isPaused) await condition(() => !replay.isPaused)
      const slice = await replaySlice({ replay, cursor })
      cursor = slice.cursor
      isDone = slice.isDone
      update(after(slice))
      await continueAsNewIfLong()
      if (slice.heldUp === undefined) continue
      lookAgainMs = slice.sent > 0 ? LOOK_AGAIN_AFTER_MS : longer(lookAgainMs)
      await sleep(lookAgainMs, { summary: `${replay.endpoint}: ${slice.heldUp}` })
    }
  }

  /** The numbers with those of a slice. */
  function after({
    sent,
    wentOn,
    waiting,
    skipped,
    missing,
    heldUp,
  }: ReplaySliceOutcome): Partial<ReplayRecord> {
    return {
      sent: replay.sent + sent,
      wentOn: replay.wentOn + wentOn,
      waiting,
      skipped: replay.skipped + skipped,
      missing: replay.missing + missing,
      heldUp,
    }
  }

  async function untilTaken(): Promise<void> {
    let lookAgainMs = VISIBILITY_LAG_MS
    do {
      await sleep(lookAgainMs, { summary: `until ${replay.endpoint} has taken what waits` })
      lookAgainMs = longer(lookAgainMs)
      const waiting = await countGoingOn(replay.id)
      if (waiting !== replay.waiting) update({ waiting })
      await continueAsNewIfLong()
    } while (replay.waiting > 0)
    update({ discarded: await countDiscarded(replay.id) })
  }

  async function giveUp(): Promise<void> {
    await cancelGoingOn(replay.id)
    update({ waiting: await countGoingOn(replay.id), discarded: await countDiscarded(replay.id) })
  }

  async function continueAsNewIfLong(): Promise<void> {
    if (!mustContinueAsNew()) return
    const memo: ReplayMemo = { replay }
    const next: ReplayEventsInput = { replay, ...(cursor !== undefined && { cursor }) }
    await makeContinueAsNewFunc<typeof replayEvents>({ memo: { ...memo } })(next)
  }
}

/** The replay when it begins, with its times by the server's clock, by which events were accepted as well. */
function begun(replay: ReplayRecord): ReplayRecord & { until: string } {
  if (replay.startedAt !== undefined) return { ...replay, until: replay.until ?? replay.startedAt }
  const { startTime } = workflowInfo()
  // What was accepted in the same millisecond is past too.
  const latest = new Date(startTime.getTime() + 1).toISOString()
  const { until = latest } = replay
  return { ...replay, startedAt: startTime.toISOString(), until: until < latest ? until : latest }
}

function longer(ms: number): number {
  return Math.min(ms * 2, MAX_LOOK_AGAIN_AFTER_MS)
}
