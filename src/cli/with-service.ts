import type { SyncService } from '../client.js'

/**
 * Works with a service by the environment: the Temporal of `TEMPORAL_ADDRESS`, else the embedded one that runs on
 * `SYNC_DATA_DIR`. It connects on the first call that was accepted, so that wrong usage needs no server to be told.
 */
export async function withService(work: (service: SyncService) => Promise<void>): Promise<void> {
  // Loaded here, so that help and wrong usage are there at once.
  const { SyncService } = await import('../client.js')
  await using service = new SyncService()
  await work(service)
}
