import { setTimeout as sleep } from 'node:timers/promises'
import { activityInfo, cancellationSignal } from '@temporalio/activity'
import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { waitingQuery } from '../domain/search-attributes.js'
import type { Logger } from '../logger.js'
import { isUsable, type EndpointStore, type StoredEndpoint } from '../store/endpoint-store.js'
import { withHeartbeats } from './with-heartbeats.js'
import { releaseSignal, type ReleaseRequest } from '../workflows/messages.js'

/**
 * Signals that are under way at the same time. With more, workflow tasks come faster than workers ask for them, and
 * the server writes each of those into its queue, where it costs another write and another read.
 */
const CONCURRENCY = 6
/** How often visibility is asked, which lags behind. */
const POLL_INTERVAL_MS = 500
/** How long the answer must have been empty: a delivery may have begun to wait just before the change. */
const QUIET_MS = 5_000

interface ReleaseDependencies {
  client: Client
  store: EndpointStore
  logger: Logger
}

/** What a release is about. */
export interface ReleaseWaitingRequest extends ReleaseRequest {
  /** Whether it looks once, and does not wait for what visibility does not show yet. */
  isLastLook?: boolean
}

/**
 * Tells every event that waits for an endpoint to go on, the oldest first, each once for the endpoint's version.
 * Told twice, after a crash, it does no harm: a delivery that has seen the version stays as it is, or makes one
 * more attempt where the endpoint is back.
 */
export function createReleaseWaiting({ client, store, logger }: ReleaseDependencies) {
  return async function releaseWaiting(
    endpoint: string,
    { recovered = false, isLastLook = false }: ReleaseWaitingRequest = {},
  ): Promise<number> {
    const signal = cancellationSignal()
    const query = waitingQuery(endpoint, activityInfo().taskQueue)
    const told = new Set<string>()
    const quietMs = isLastLook ? 0 : QUIET_MS
    await withHeartbeats(
      async () => {
        let version: string | undefined
        for (let quietSince = Date.now(); ;) {
          const current = await store.get(endpoint)
          if (current?.version !== version) told.clear()
          version = current?.version
          const release = { endpoint, version, ...(recovered && { recovered }) }
          const found = await untold(client, query, told)
          for await (const batch of paced(found, current, signal)) {
            await Promise.all(batch.map((workflowId) => tell(client, workflowId, release)))
            for (const workflowId of batch) told.add(workflowId)
          }
          if (found.length > 0) quietSince = Date.now()
          if (Date.now() - quietSince >= quietMs) break
          await sleep(POLL_INTERVAL_MS, undefined, { signal })
        }
      },
      () => told.size,
    )
    logger.info({ endpoint, released: told.size }, 'released')
    return told.size
  }
}

/** Who waits and has not been told, the oldest first; visibility on SQL gives no order. */
async function untold(client: Client, query: string, told: ReadonlySet<string>): Promise<string[]> {
  const found: { workflowId: string; startTime: Date }[] = []
  for await (const { workflowId, startTime } of client.workflow.list({ query })) {
    if (!told.has(workflowId)) found.push({ workflowId, startTime })
  }
  return found
    .toSorted((one, other) => one.startTime.getTime() - other.startTime.getTime())
    .map(({ workflowId }) => workflowId)
}
/** As many at a time as the endpoint may get. */
async function* paced(
  found: readonly string[],
  endpoint: StoredEndpoint | undefined,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const perSecond = endpoint !== undefined && isUsable(endpoint) ? endpoint.maxAttemptsPerSecond : undefined
  const size = Math.min(CONCURRENCY, Math.max(1, Math.floor(perSecond ?? CONCURRENCY)))
  for (let next = 0; next < found.length; next += size) {
    signal.throwIfAborted()
    yield found.slice(next, next + size)
    if (perSecond !== undefined) await sleep((size * 1_000) / perSecond, undefined, { signal })
  }
}

async function tell(
  client: Client,
  workflowId: string,
  release: { endpoint: string; version: string | undefined } & ReleaseRequest,
): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal(releaseSignal, release)
  } catch (error) {
    // It has ended meanwhile; visibility lags.
    if (!(error instanceof WorkflowNotFoundError)) throw error
  }
}
