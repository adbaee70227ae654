import { workflowIdOf } from '../domain/workflow-id.js'
import type { EventPart, GroupedEvent, SyncGroupResult } from './messages.js'
import type { ReplayRecord } from '../domain/replay.js'
import { hasEnded, type Delivery, type DeliveryState } from '../domain/delivery.js'

/** More rows would bury the ones that matter. */
const MAX_ROWS = 50

const ICONS: Readonly<Record<DeliveryState, string>> = {
  attempting: '🔄',
  waiting: '⏳',
  delivered: '✅',
  discarded: '🗑️',
}

/** The Markdown that the Temporal UI shows as the workflow's current details: open deliveries first. */
export function describeDeliveries(deliveries: readonly Delivery[]): string {
  if (deliveries.length === 0) return 'No endpoint is subscribed to this event.'
  const delivered = deliveries.filter(({ state }) => state === 'delivered').length
  const rows = [...deliveries.filter((delivery) => !hasEnded(delivery)), ...deliveries.filter(hasEnded)]
  return [
    `**${delivered} of ${deliveries.length} delivered**`,
    '',
    '| endpoint | state | attempts | last answer | next retry |',
    '| --- | --- | --- | --- | --- |',
    ...rows.slice(0, MAX_ROWS).map(describeRow),
    ...(rows.length > MAX_ROWS ? ['', `… and ${rows.length - MAX_ROWS} more`] : []),
  ].join('\n')
}

/** The same for an event whose deliveries are with other workflows. */
export function describeParts(parts: readonly EventPart[]): string {
  const sum = (count: (part: EventPart) => number): number =>
    parts.reduce((all, part) => all + count(part), 0)
  return [
    `**${sum(({ delivered }) => delivered)} of ${sum(({ deliveries }) => deliveries)} delivered**, counted as parts end`,
    '',
    '| part | deliveries | delivered | discarded |',
    '| --- | --- | --- | --- |',
    ...parts.map(
      ({ workflowId, deliveries, delivered, discarded }) =>
        `| ${workflowId} | ${deliveries} | ${delivered} | ${discarded} |`,
    ),
  ].join('\n')
}

/** The same for a group of events. */
export function describeGroup({ events, subscribers }: SyncGroupResult): string {
  const rows = [...events.filter(isOpen), ...events.filter((event) => !isOpen(event))]
  return [
    `**${events.length} events, ${events.filter(isOpen).length} of them go on in workflows of their own**`,
    '',
    '| event | outcome | endpoints |',
    '| --- | --- | --- |',
    ...rows.slice(0, MAX_ROWS).map((event) => {
      const [outcome, endpoints] = isOpen(event)
        ? ['🔄 goes on', '']
        : ['✅ delivered', subscribers[event.type]?.length]
      return `| ${workflowIdOf(event)} | ${outcome} | ${endpoints} |`
    }),
    ...(rows.length > MAX_ROWS ? ['', `… and ${rows.length - MAX_ROWS} more, see the result`] : []),
  ].join('\n')
}

/** The same for a replay. */
export function describeReplay(replay: ReplayRecord): string {
  const { endpoint, since, until, total, sent, wentOn, waiting, discarded, skipped, missing } = replay
  const looked = sent + skipped + missing
  const state = replay.isPaused
    ? ', paused'
    : replay.heldUp === undefined
      ? ''
      : `, held up (${replay.heldUp})`
  return [
    `**${looked} of ${total ?? '?'} events looked at, ${sent} sent to ${endpoint}${state}**`,
    '',
    `Accepted from ${since} to ${until}; complete from ${replay.reachesBackTo}.`,
    '',
    '| sent | not taken at once | waiting | discarded | skipped | missing |',
    '| --- | --- | --- | --- | --- | --- |',
    `| ${sent} | ${wentOn} | ${waiting} | ${discarded} | ${skipped} | ${missing} |`,
  ].join('\n')
}

function isOpen({ statuses }: GroupedEvent): boolean {
  return statuses === undefined
}

function describeRow(delivery: Delivery): string {
  const { endpoint, state, reason, attempts, lastStatus, lastError, nextRetryAt } = delivery
  const shownState = `${ICONS[state]} ${state}${reason === undefined ? '' : ` (${reason})`}`
  const shownAttempts = state === 'attempting' ? 'see pending activities' : String(attempts)
  return `| ${endpoint} | ${shownState} | ${shownAttempts} | ${lastError ?? lastStatus ?? ''} | ${nextRetryAt ?? ''} |`
}
