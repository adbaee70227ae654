import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time.js'
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes.js'
import { answers } from './server-record.js'

const TRY_EVERY_MS = 50
const CALL_TIMEOUT_MS = 10_000
const DAY_MS = 24 * 60 * 60 * 1000

/** What must be true of a server before it is handed out. */
export interface Readiness {
  /** `host:port` of the server. */
  address: string
  /** The namespace that must exist. */
  namespace: string
  /** How long the namespace keeps closed workflows, in days; it is set when it differs. */
  retentionDays: number
}

/**
 * Waits until the server answers gRPC calls, has the namespace with its retention, and all search attributes.
 * `signal` is what ends the waiting.
 *
 * @throws an error with the last problem when `signal` aborts; its `cause` is the signal's reason
 */
export async function waitUntilServing(readiness: Readiness, signal: AbortSignal): Promise<void> {
  let problem: unknown = new Error(`${readiness.address} does not accept connections`)
  while (!signal.aborted) {
    // gRPC waits a second and more between its own attempts to connect.
    if (await answers(readiness.address)) {
      try {
        return await check(readiness, signal)
      } catch (error) {
        problem = error
      }
    }
    await sleep(TRY_EVERY_MS, undefined, { signal }).catch(() => {})
  }
  throw new Error(problem instanceof Error ? problem.message : String(problem), { cause: signal.reason })
}

async function check({ address, namespace, retentionDays }: Readiness, signal: AbortSignal): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: CALL_TIMEOUT_MS })
  try {
    const call = <Result>(fn: () => Promise<Result>) =>
      connection.withAbortSignal(signal, () => connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, fn))

    const { config } = await call(() => connection.workflowService.describeNamespace({ namespace }))
    if (optionalTsToMs(config?.workflowExecutionRetentionTtl) !== retentionDays * DAY_MS) {
      const workflowExecutionRetentionTtl = msToTs(retentionDays * DAY_MS)
      await call(() =>
        connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } }),
      )
    }

    const { customAttributes } = await call(() =>
      connection.operatorService.listSearchAttributes({ namespace }),
    )
    const missing = Object.keys(SEARCH_ATTRIBUTES).filter((name) => !(name in customAttributes))
    if (missing.length > 0) throw new Error(`search attributes ${missing.join(', ')} are missing`)
  } finally {
    await connection.close()
  }
}
