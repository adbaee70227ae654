import { defineSearchAttributeKey, type SearchAttributeUpdatePair } from '@temporalio/common'
import type { Delivery } from '../domain/delivery.js'
import { listedBytes, MAX_LIST_BYTES } from '../domain/search-attributes.js'

export const syncWaitingOn = defineSearchAttributeKey('SyncWaitingOn', 'KEYWORD_LIST')
export const syncWaitingCount = defineSearchAttributeKey('SyncWaitingCount', 'INT')

/** The search attributes that say for whom an event waits. */
export interface WaitingAttributes {
  /** Differs when the attributes do. */
  fingerprint: string
  updates: SearchAttributeUpdatePair[]
}

/** As many names as fit, and the count of all. */
export function waitingAttributes(deliveries: readonly Delivery[]): WaitingAttributes {
  const waiting = deliveries.filter(({ state }) => state === 'waiting').map(({ endpoint }) => endpoint)
  const names: string[] = []
  let bytes = 0
  for (const name of waiting) {
    bytes += listedBytes(name)
    if (bytes > MAX_LIST_BYTES) break
    names.push(name)
  }
  return {
    fingerprint: `${waiting.length}:${names.join(',')}`,
    updates: [
      { key: syncWaitingOn, value: names.length === 0 ? null : names },
      { key: syncWaitingCount, value: waiting.length },
    ],
  }
}
