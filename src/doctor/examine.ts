import type { Connection } from '@temporalio/client'
import type { Config } from '../config.js'
import { nodeRange } from '../package-version.js'
import { connectClient, openTemporal, type TemporalConnection } from '../temporal/connect.js'
import { boundedCheck } from './bounded-check.js'
import { ok, type Finding, type ReportFinding } from './finding.js'
import { checkConfig, checkNode } from './local-checks.js'
import {
  checkNamespace,
  checkSearchAttributes,
  checkWaiting,
  checkWorkers,
  type TemporalUnderCheck,
} from './temporal-checks.js'

const CHECK_TIMEOUT_MS = 10_000
/** Leaves time to look for the reason where there is no connection. */
const CONNECT_TIMEOUT_MS = 4_000

/** What the doctor examines. */
export interface Examination {
  env: NodeJS.ProcessEnv
  /** @default this process's own, such as `20.19.0` */
  nodeVersion?: string
  /** Opens the endpoint store and its encryption keys as a worker would, without making any. */
  checkStore: (config: Config) => Promise<readonly Finding[]>
  /** For each check, in milliseconds. @default 10000 */
  timeoutMs?: number
}

/**
 * Checks one thing after the other, and reports each finding as soon as it is there. What cannot be checked
 * because an earlier check failed is reported as such. It throws nothing that a check throws.
 */
export async function examine(examination: Examination, report: ReportFinding): Promise<void> {
  const { env, nodeVersion = process.versions.node, checkStore, timeoutMs = CHECK_TIMEOUT_MS } = examination
  const check = async (subject: string, fn: () => Promise<readonly Finding[]>): Promise<boolean> => {
    const findings = await boundedCheck(subject, timeoutMs, fn)
    for (const finding of findings) report(finding)
    return findings.every(({ status }) => status !== 'error')
  }
  const skip = (reason: string, ...subjects: string[]): void => {
    for (const subject of subjects) report({ status: 'warning', text: `${subject}: not checked, ${reason}` })
  }
  const inNamespace = ['search attributes', 'workers', 'events that wait']

  report(checkNode(nodeVersion, nodeRange))
  const { config, findings } = checkConfig(env)
  for (const finding of findings) report(finding)
  if (config === undefined) {
    skip('as the configuration is not accepted', 'Temporal', 'namespace', ...inNamespace, 'endpoint store')
    return
  }

  let opened: TemporalConnection<Connection> | undefined
  try {
    await check('Temporal', async () => {
      const startedMs = performance.now()
      opened = await openTemporal(config, { connectTimeoutMs: CONNECT_TIMEOUT_MS }, connectClient)
      const { serverVersion } = await opened.connection.workflowService.getSystemInfo({})
      const tookMs = Math.round(performance.now() - startedMs)
      return [ok(`Temporal ${serverVersion} at ${opened.address}, ${opened.security}, in ${tookMs} ms`)]
    })
    if (opened === undefined) {
      skip('as Temporal could not be reached', 'namespace', ...inNamespace)
    } else {
      const temporal: TemporalUnderCheck = { ...opened, taskQueue: config.taskQueue }
      if (await check('namespace', () => checkNamespace(temporal))) {
        await check('search attributes', () => checkSearchAttributes(temporal))
        await check('workers', () => checkWorkers(temporal))
        await check('events that wait', () => checkWaiting(temporal))
      } else {
        skip('as the namespace cannot be used', ...inNamespace)
      }
    }
    await check('endpoint store', () => checkStore(config))
  } finally {
    await opened?.connection.close()
  }
}
