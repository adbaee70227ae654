import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { SyncError } from '../domain/errors.js'
import type { EndpointStore } from '../store/endpoint-store.js'

/** How long each of them has to answer, in milliseconds. */
const TIMEOUT_MS = 2_000

/** No endpoint has this name, so that asking for its history costs next to nothing. */
const NOBODY = '_'

/**
 * Asks Temporal and the endpoint store for something small.
 * @throws {SyncError} `TEMPORAL_UNREACHABLE` or `STORE_UNAVAILABLE` where one does not answer within 2 s
 */
export async function checkReady({ client, store }: { client: Client; store: EndpointStore }): Promise<void> {
  const { namespace } = client.options
  await Promise.all([
    within(
      client.withDeadline(Date.now() + TIMEOUT_MS, () =>
        client.workflowService.describeNamespace({ namespace }),
      ),
      (cause) =>
        new SyncError('TEMPORAL_UNREACHABLE', `Temporal did not answer within ${TIMEOUT_MS} ms`, { cause }),
    ),
    within(
      store.history(NOBODY, { limit: 1 }),
      (cause) =>
        new SyncError('STORE_UNAVAILABLE', `the endpoint store did not answer within ${TIMEOUT_MS} ms`, {
          cause,
        }),
    ),
  ])
}

/** Some clients try for longer than they are told. */
async function within(answer: Promise<unknown>, failed: (cause?: unknown) => SyncError): Promise<void> {
  const ended = new AbortController()
  const timeout = sleep(TIMEOUT_MS, undefined, { signal: ended.signal }).then(
    () => Promise.reject(failed()),
    () => undefined,
  )
  try {
    await Promise.race([answer, timeout])
  } catch (error) {
    throw error instanceof SyncError ? error : failed(error)
  } finally {
    ended.abort()
  }
}
