import type { Replay } from '../client.js'
import type { Column } from './output-table.js'
import { relativeTime } from './output-time.js'

const BAR_WIDTH = 24

/** From when on a replay has everything, in a sentence. */
export function describeReach({ since, reachesBackTo }: Pick<Replay, 'since' | 'reachesBackTo'>): string {
  if (reachesBackTo === since) return `It reaches back to ${since}.`
  return (
    `It reaches back to ${reachesBackTo}, as Temporal forgets what ended before; ` +
    `of what was accepted from ${since} to then, it sends what is left.`
  )
}

/** How far a replay is, in one line. */
export function describeProgress(replay: Replay): string {
  const { status, total, sent, waiting, discarded, skipped, missing, heldUp } = replay
  const looked = sent + skipped + missing
  const counts = [
    `${sent} sent`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(discarded > 0 ? [`${discarded} discarded`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(missing > 0 ? [`${missing} forgotten by Temporal`] : []),
  ]
  const state = status === 'running' && heldUp !== undefined ? `running, held up (${heldUp})` : status
  return total === undefined
    ? `${state}: counting`
    : `${bar(looked, total)} ${looked} of ${total}  ${state}: ${counts.join(', ')}`
}

/** Replays at a glance. */
export const REPLAY_COLUMNS: readonly Column<Replay>[] = [
  { title: 'ID', value: ({ id }) => id, isWhole: true },
  { title: 'ENDPOINT', value: ({ endpoint }) => endpoint, isWhole: true },
  { title: 'STATUS', value: ({ status }) => status },
  { title: 'STARTED', value: ({ startedAt }) => relativeTime(startedAt) },
  {
    title: 'LOOKED AT',
    value: ({ sent, skipped, missing, total }) => `${sent + skipped + missing}/${total ?? '?'}`,
  },
  { title: 'SENT', value: ({ sent }) => String(sent) },
  { title: 'WAITING', value: ({ waiting }) => String(waiting) },
]

function bar(done: number, total: number): string {
  const filled = total === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.floor((done / total) * BAR_WIDTH))
  return `[${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}]`
}
