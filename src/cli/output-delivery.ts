import type { Delivery } from '../client.js'
import { note } from './output.js'
import { printTable, type Column } from './output-table.js'
import { relativeTime } from './output-time.js'

/** Where a delivery stands. */
export const DELIVERY_COLUMNS: readonly Column<Delivery>[] = [
  { title: 'ENDPOINT', value: ({ endpoint }) => endpoint, isWhole: true },
  {
    title: 'STATE',
    value: ({ state }) => state,
    paint: ({ state }, { green, cyan, yellow, red }) =>
      ({ delivered: green, attempting: cyan, waiting: yellow, discarded: red })[state],
  },
  { title: 'REASON', value: ({ reason }) => reason, isOptional: true, isFlexible: true },
  { title: 'ATTEMPTS', value: ({ attempts }) => String(attempts) },
  {
    title: 'LAST',
    value: ({ lastError, lastStatus }) => lastError ?? lastStatus?.toString(),
    isFlexible: true,
  },
  { title: 'NEXT', value: ({ nextRetryAt }) => nextRetryAt && relativeTime(nextRetryAt), isOptional: true },
  { title: 'ENDED', value: ({ endedAt }) => endedAt && relativeTime(endedAt), isOptional: true },
]

/** Prints the deliveries of one event. */
export function printDeliveries(deliveries: readonly Delivery[]): void {
  if (deliveries.length === 0) note('no endpoint was subscribed to it')
  else printTable(DELIVERY_COLUMNS, deliveries)
}
