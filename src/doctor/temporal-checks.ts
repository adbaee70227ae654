import type { Connection } from '@temporalio/client'
import { optionalTsToMs } from '@temporalio/common/lib/time.js'
import { allWaitingQuery } from '../domain/search-attributes.js'
import { failedWith } from '../temporal/grpc-status.js'
import { findSearchAttributeGaps } from '../temporal/search-attributes.js'
import { describeDays, readRetentionDays, retentionWarning } from '../temporal/setup-namespace.js'
import { error, ok, warning, type Finding } from './finding.js'

/** A worker asks again after a minute at most; Temporal lists one that stopped for five. */
const QUIET_AFTER_MS = 120_000

const SETUP = 'run `npx external-sync setup`'

/** What the checks of an open connection look at. */
export interface TemporalUnderCheck {
  connection: Pick<Connection, 'workflowService' | 'operatorService'>
  address: string
  namespace: string
  taskQueue: string
}

/** @returns no finding that is an error when the namespace can be used */
export async function checkNamespace(temporal: TemporalUnderCheck): Promise<Finding[]> {
  const { connection, namespace, address } = temporal
  const days = await readRetentionDays(connection, { namespace, address })
  if (days === undefined) {
    return [error(`namespace ${namespace}: there is none`, `${SETUP}, or set TEMPORAL_NAMESPACE to another`)]
  }
  const text = `namespace ${namespace}: keeps closed workflows for ${describeDays(days)}`
  const advice = retentionWarning(days)
  return [advice === undefined ? ok(text) : warning(text, advice)]
}

export async function checkSearchAttributes({
  connection,
  namespace,
}: TemporalUnderCheck): Promise<Finding[]> {
  const gaps = await findSearchAttributeGaps(connection, namespace)
  if (gaps === undefined) {
    return [
      warning(
        'search attributes: the server does not list them to this caller',
        'ask somebody who may see them',
      ),
    ]
  }
  const missing = gaps.missing.map((name) => error(`search attribute ${name}: there is none`, SETUP))
  const mismatched = gaps.mismatched.map(({ name, found, expected }) =>
    error(
      `search attribute ${name}: is of type ${found} and not ${expected}`,
      `use a namespace of its own (TEMPORAL_NAMESPACE), or remove it where nothing else uses it, and ${SETUP}`,
    ),
  )
  const problems = [...missing, ...mismatched]
  return problems.length > 0 ? problems : [ok('search attributes: all there')]
}

/** Looks for workers that have asked for workflow tasks in the last minutes. */
export async function checkWorkers({
  connection,
  namespace,
  taskQueue,
}: TemporalUnderCheck): Promise<Finding[]> {
  const request = { namespace, taskQueue: { name: taskQueue } }
  const { pollers } = await connection.workflowService.describeTaskQueue(request)
  const lastSeenMs = new Map(
    pollers.map(({ identity, lastAccessTime }) => [identity, optionalTsToMs(lastAccessTime) ?? 0]),
  )
  const start = 'start one with `npx external-sync worker`, with the same SYNC_TASK_QUEUE'
  if (lastSeenMs.size === 0) return [warning(`workers: none on task queue ${taskQueue}`, start)]
  const quietMs = Math.max(0, Date.now() - Math.max(...lastSeenMs.values()))
  const text = `workers: ${lastSeenMs.size} on task queue ${taskQueue}, last seen ${Math.round(quietMs / 1_000)} s ago`
  return [quietMs > QUIET_AFTER_MS ? warning(text, `it may have stopped; ${start}`) : ok(text)]
}

/** Counts the events of which a delivery waits. */
export async function checkWaiting({
  connection,
  namespace,
  taskQueue,
}: TemporalUnderCheck): Promise<Finding[]> {
  const query = allWaitingQuery(taskQueue)
  try {
    const { count } = await connection.workflowService.countWorkflowExecutions({ namespace, query })
    if (Number(count) === 0) return [ok('events that wait: none')]
    return [warning(`events that wait: ${String(count)}`, `find them in the Temporal UI with: ${query}`)]
  } catch (cause) {
    if (!failedWith(cause, 'INVALID_ARGUMENT')) throw cause
    return [error('events that wait: cannot be searched for without the search attributes', SETUP)]
  }
}
