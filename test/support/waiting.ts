import { expect, vi } from 'vitest'
import type { Delivery, Receipt, SyncService } from '../../src/client.js'
import type { TypedReceipt } from './grouping.js'

/** A receipt, with the type where the event may have gone in a group. */
type Emitted = Pick<Receipt, 'workflowId'> & Partial<TypedReceipt>

/** Waits until the event's deliveries match, as `toMatchObject` does. */
export async function waitForDeliveries(
  syncService: SyncService,
  { workflowId, eventType, eventId }: Emitted,
  expected: readonly object[],
  timeoutMs = 60_000,
): Promise<Delivery[]> {
  const [type = '', id = ''] = eventType === undefined ? workflowId.split('/') : [eventType, eventId]
  return vi.waitFor(
    async () => {
      const { deliveries } = await syncService.deliveries(type, id)
      expect(deliveries).toMatchObject(expected)
      return deliveries
    },
    { timeout: timeoutMs, interval: 200 },
  )
}

/** Waits until one of the event's deliveries waits for this reason. */
export async function waitUntilWaiting(
  { syncService }: { syncService: SyncService },
  receipt: Emitted,
  reason: string,
): Promise<void> {
  const waiting = expect.arrayContaining([expect.objectContaining({ state: 'waiting', reason })])
  await waitForDeliveries(syncService, receipt, waiting as object[])
}
