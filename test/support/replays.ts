import { expect, vi } from 'vitest'
import type { Replay, SyncService } from '../../src/client.js'
import type { ReceivedRequest } from '../../src/testing/index.js'

/** Waits until a replay matches, as `toMatchObject` does. */
export function waitForReplay(
  syncService: SyncService,
  { id }: Pick<Replay, 'id'>,
  expected: Partial<Replay>,
  timeoutMs = 60_000,
): Promise<Replay> {
  return vi.waitFor(
    async () => {
      const replay = await syncService.getReplay(id)
      expect(replay).toMatchObject(expected)
      return replay
    },
    { timeout: timeoutMs, interval: 200 },
  )
}

/** The ids of the events that a receiver got. */
export function idsOf(requests: readonly ReceivedRequest[]): string[] {
  return requests.map(({ headers }) => String(headers['webhook-id']))
}
