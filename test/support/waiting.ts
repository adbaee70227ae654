import { expect, vi } from 'vitest'
import type { Delivery, Receipt, SyncService } from '../../src/client.js'

/** Waits until the event's deliveries match, as `toMatchObject` does. */
export async function waitForDeliveries(
  syncService: SyncService,
  { workflowId }: Pick<Receipt, 'workflowId'>,
  expected: readonly object[],
  timeoutMs = 60_000,
): Promise<Delivery[]> {
  const [type = '', id = ''] = workflowId.split('/')
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
  receipt: Pick<Receipt, 'workflowId'>,
  reason: string,
): Promise<void> {
  const waiting = expect.arrayContaining([expect.objectContaining({ state: 'waiting', reason })])
  await waitForDeliveries(syncService, receipt, waiting as object[])
}
