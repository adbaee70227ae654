import { expect } from 'vitest'
import type { EmitOptions, Receipt, SyncService } from '../../src/client.js'

/** How events may go to Temporal. */
export const GROUPINGS = ['off', 'auto'] as const

export type Grouping = (typeof GROUPINGS)[number]

/** What only the companions of an event are; endpoints of the tests name the types that they want. */
const COMPANION = 'companion.emitted'

export const GROUP_ID = /^external-sync\.group\/[0-9a-f-]{36}$/

/** A receipt with what `deliveries` asks for. */
export interface TypedReceipt extends Receipt {
  eventType: string
}

/** Emits an event, and with grouping in a group, beside companions that no endpoint is subscribed to. */
export async function emitIn(
  grouping: Grouping,
  syncService: SyncService,
  type: string,
  data: unknown,
  options?: EmitOptions,
): Promise<TypedReceipt> {
  if (grouping === 'off') return { ...(await syncService.emit(type, data, options)), eventType: type }
  const companion = { type: COMPANION, data: {} }
  const [, receipt] = await syncService.emitMany([companion, { type, data, ...options }, companion])
  expect(receipt?.workflowId).toMatch(GROUP_ID)
  return { ...receipt!, eventType: type }
}
