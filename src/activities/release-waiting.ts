import { setTimeout as sleep } from 'node:timers/promises'
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity'
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { waitingQuery } from '../domain/search-attributes.js'
import type { Logger } from '../logger.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { releaseSignal } from '../workflows/messages.js'

/** Signals that are under way at the same time; more would only queue in the server. */
const CONCURRENCY = 20
/** How often visibility is asked, which lags behind. */
const POLL_INTERVAL_MS = 500
/** How long the answer must have been empty: a delivery may have begun to wait just before the change. */
const QUIET_MS = 5_000

interface ReleaseDependencies {
  client: Client
  store: EndpointStore
  logger: Logger
}

/**
 * Tells every event that waits for an endpoint to go on, each once for the endpoint's version. Told twice,
 * after a crash, it does no harm: a delivery that has seen the version stays as it is.
 */
export function createReleaseWaiting({ client, store, logger }: ReleaseDependencies) {
  return async function releaseWaiting(endpoint: string): Promise<number> {
    const signal = cancellationSignal()
    const query = waitingQuery(endpoint, activityInfo().taskQueue)
    const told = new Set<string>()
    let version: string | undefined
    for (let quietSince = Date.now(); Date.now() - quietSince < QUIET_MS;) {
      const current = (await store.get(endpoint))?.version
      if (current !== version) told.clear()
      version = current
      let found = 0
      for await (const batch of batches(untold(client, query, told), CONCURRENCY)) {
        signal.throwIfAborted()
        await Promise.all(batch.map((workflowId) => tell(client, workflowId, { endpoint, version })))
        for (const workflowId of batch) told.add(workflowId)
        found += batch.length
        heartbeat(told.size)
      }
      if (found > 0) quietSince = Date.now()
      heartbeat(told.size)
      await sleep(POLL_INTERVAL_MS, undefined, { signal })
    }
    logger.info({ endpoint, released: told.size }, 'released')
    return told.size
  }
}

async function* untold(client: Client, query: string, told: ReadonlySet<string>): AsyncGenerator<string> {
  for await (const { workflowId } of client.workflow.list({ query })) {
    if (!told.has(workflowId)) yield workflowId
  }
}

async function tell(
  client: Client,
  workflowId: string,
  release: { endpoint: string; version: string | undefined },
): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal(releaseSignal, release)
  } catch (error) {
    // It has ended meanwhile; visibility lags.
    if (!(error instanceof WorkflowNotFoundError)) throw error
  }
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
