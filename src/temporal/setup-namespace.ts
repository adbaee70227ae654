import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@temporalio/client'
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time.js'
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes.js'
import { accessDenied } from './connection-fault.js'
import { failedWith, grpcStatus } from './grpc-status.js'
import { addSearchAttributes, findSearchAttributeGaps, refuseMismatched } from './search-attributes.js'
import type { SearchAttributeName } from './search-attributes.js'
import { setupFailed, setupRefused, setupTimedOut } from './setup-failure.js'
import type { ReportStep, SetupStep } from './setup-step.js'

/** How long a new namespace keeps closed workflows. */
const NEW_RETENTION_DAYS = 30
/** Below this, an event that is emitted again after a week's outage of its emitter may be a new one. */
const SHORT_RETENTION_DAYS = 7
const DAY_MS = 24 * 60 * 60 * 1000
const TRY_EVERY_MS = 250
/** Caches of namespaces lag by about 10 s in each of the server's services. */
const TIMEOUT_MS = 60_000

type SetupConnection = Pick<Connection, 'workflowService' | 'operatorService'>

/** The namespace to set up. */
export interface NamespaceSetup {
  namespace: string
  /** For messages. */
  address: string
  /** Days that closed workflows are kept. @default 30 for a new namespace, else as it is */
  retentionDays?: number | undefined
  /** How long to wait until the server knows what was made, in milliseconds. @default 60000 */
  timeoutMs?: number
}

/**
 * Makes what is missing of the namespace, its retention and the search attributes, and waits until the server
 * can be used with them. What is there already is success, so that it may run at any time and twice at once.
 * @throws {SyncError} `TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH`, `TEMPORAL_ACCESS_DENIED`; `TEMPORAL_SETUP_FAILED`
 * where the server does not let itself be administered, with the commands that do it, or takes too long
 */
export async function setUpNamespace(
  connection: SetupConnection,
  setup: NamespaceSetup,
  report: ReportStep,
): Promise<void> {
  for (const step of await repeat(setup, () => ensureNamespace(connection, setup))) report(step)
  const added = await ensureSearchAttributes(connection, setup)
  for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) {
    const done = added.has(name as SearchAttributeName) ? 'created' : 'there already'
    report({ thing: `search attribute ${name} (${type})`, done })
  }
  await repeat(setup, () => isUsable(connection, setup))
}

/** A short retention, in words: ids are deduplicated only as long as closed workflows are kept. */
export function retentionWarning(days: number): string | undefined {
  if (days >= SHORT_RETENTION_DAYS) return undefined
  return (
    'an id that is emitted again after that time is delivered again; ' +
    `keep closed workflows longer with \`npx external-sync setup --retention-days ${NEW_RETENTION_DAYS}\``
  )
}

/** How long a namespace keeps closed workflows, in days; undefined where there is no such namespace. */
export async function readRetentionDays(
  { workflowService }: Pick<Connection, 'workflowService'>,
  { namespace, address }: Pick<NamespaceSetup, 'namespace' | 'address'>,
): Promise<number | undefined> {
  try {
    const { config } = await workflowService.describeNamespace({ namespace })
    return (optionalTsToMs(config?.workflowExecutionRetentionTtl) ?? 0) / DAY_MS
  } catch (error) {
    if (failedWith(error, 'NOT_FOUND')) return undefined
    throw accessDenied(error, address, namespace) ?? error
  }
}

/** A number of days in words. */
export function describeDays(days: number): string {
  return days === 1 ? '1 day' : `${Number(days.toFixed(2))} days`
}

/** Returns undefined where another process was faster: what it made is looked at like any other. */
async function ensureNamespace(
  connection: SetupConnection,
  setup: NamespaceSetup,
): Promise<SetupStep[] | undefined> {
  const { namespace, retentionDays } = setup
  const thing = `namespace ${namespace}`
  const before = await readRetentionDays(connection, setup)
  if (before === undefined) {
    const days = retentionDays ?? NEW_RETENTION_DAYS
    const workflowExecutionRetentionPeriod = msToTs(days * DAY_MS)
    try {
      await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod })
      return [{ thing, done: 'created' }, retentionStep(days, 'created')]
    } catch (error) {
      if (failedWith(error, 'ALREADY_EXISTS')) return undefined
      throw refusal(error, setup)
    }
  }
  if (retentionDays === undefined || retentionDays === before) {
    return [{ thing, done: 'there already' }, retentionStep(before, 'there already')]
  }
  const workflowExecutionRetentionTtl = msToTs(retentionDays * DAY_MS)
  try {
    await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } })
  } catch (error) {
    throw refusal(error, setup)
  }
  return [{ thing, done: 'there already' }, retentionStep(retentionDays, 'changed')]
}

function retentionStep(days: number, done: SetupStep['done']): SetupStep {
  const warning = retentionWarning(days)
  const thing = `retention of closed workflows, ${describeDays(days)}`
  return warning === undefined ? { thing, done } : { thing, done, warning }
}

/** Adds what is missing and waits until it is listed; adds again what another process overwrote meanwhile. */
async function ensureSearchAttributes(
  connection: SetupConnection,
  setup: NamespaceSetup,
): Promise<ReadonlySet<SearchAttributeName>> {
  const added = new Set<SearchAttributeName>()
  return repeat(setup, async () => {
    const gaps = await findSearchAttributeGaps(connection, setup.namespace)
    if (gaps === undefined) throw setupRefused(setup)
    refuseMismatched(gaps, setup.namespace, setup.address)
    if (gaps.missing.length === 0) return added
    try {
      await addSearchAttributes(connection, setup.namespace, gaps.missing)
      for (const name of gaps.missing) added.add(name)
    } catch (error) {
      throw refusal(error, setup)
    }
    return undefined
  })
}

/** Asks each of the server's services that an event needs: matching, history, and visibility. */
async function isUsable(
  { workflowService }: SetupConnection,
  { namespace }: NamespaceSetup,
): Promise<true | undefined> {
  const nobody = `external-sync-setup-${randomUUID()}`
  const query = Object.keys(SEARCH_ATTRIBUTES).map((name) => `${name} IS NOT NULL`)
  try {
    await workflowService.describeTaskQueue({ namespace, taskQueue: { name: nobody } })
    await workflowService
      .describeWorkflowExecution({ namespace, execution: { workflowId: nobody } })
      .catch((error: unknown) => {
        const isNamespaceKnown = failedWith(error, 'NOT_FOUND') && !String(error).includes('amespace')
        if (!isNamespaceKnown) throw error
      })
    await workflowService.countWorkflowExecutions({ namespace, query: query.join(' OR ') })
  } catch (error) {
    // The search attributes are not known everywhere yet.
    if (failedWith(error, 'INVALID_ARGUMENT')) return undefined
    // A role may be allowed to administer the namespace and not to look at all of this.
    if (!failedWith(error, 'PERMISSION_DENIED', 'UNIMPLEMENTED')) throw error
  }
  return true
}

/** Repeats until there is a result; what a cache does not know yet, or a write that lost a race, is tried again. */
async function repeat<T>(setup: NamespaceSetup, attempt: () => Promise<T | undefined>): Promise<T> {
  const { timeoutMs = TIMEOUT_MS } = setup
  const deadline = Date.now() + timeoutMs
  let problem: unknown
  while (Date.now() < deadline) {
    try {
      const result = await attempt()
      if (result !== undefined) return result
    } catch (error) {
      if (!failedWith(error, 'NOT_FOUND', 'UNAVAILABLE', 'FAILED_PRECONDITION')) {
        throw grpcStatus(error) === undefined ? error : setupFailed(setup, error)
      }
      problem = error
    }
    await sleep(TRY_EVERY_MS)
  }
  throw setupTimedOut(setup, timeoutMs, problem)
}

function refusal(error: unknown, setup: NamespaceSetup): unknown {
  return failedWith(error, 'PERMISSION_DENIED', 'UNIMPLEMENTED') ? setupRefused(setup) : error
}
