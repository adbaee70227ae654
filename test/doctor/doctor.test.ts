import { randomUUID } from 'node:crypto'
import { expect, inject, test, vi } from 'vitest'
import { examine } from '../../src/doctor/examine.js'
import { ok, type Finding } from '../../src/doctor/finding.js'
import { openTcpServer } from '../support/attempts.js'
import { createAuthority } from '../support/certificates.js'
import { runCommand, type CommandResult } from '../support/cli.js'
import { openEnvironment } from '../support/environment.js'
import { freePort } from '../support/free-port.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { startTlsProxy } from '../support/tls-proxy.js'
import { waitUntilWaiting } from '../support/waiting.js'

const NODE = `✓ Node ${process.versions.node}`

test('a healthy system is a line with ✓ for each check, and exit code 0', async () => {
  const { taskQueue } = await openEnvironment()

  const { code, output } = await runDoctor({ SYNC_TASK_QUEUE: taskQueue })

  const [node, config, temporal, ...others] = output.trim().split('\n')
  expect(node).toBe(NODE)
  expect(config).toMatch(`✓ configuration: task queue ${taskQueue}, endpoints in /`)
  const { source } = new RegExp(inject('temporalAddress'))
  expect(temporal).toMatch(
    new RegExp(`^✓ Temporal \\d+\\.\\d+\\.\\d+ at ${source}, without TLS, in \\d+ ms$`),
  )
  expect(others).toEqual([
    '✓ namespace default: keeps closed workflows for 30 days',
    '✓ search attributes: all there',
    expect.stringMatching(new RegExp(`^✓ workers: 1 on task queue ${taskQueue}, last seen \\d+ s ago$`)),
    '✓ events that wait: none',
    expect.stringMatching(/^! endpoint store \/.*: there is none yet$/),
    '  → the first start makes it',
  ])
  expect(code).toBe(0)
})

test('a server that is away is ✗ with what to do, and what depends on it is not checked', async () => {
  const address = `127.0.0.1:${await freePort()}`

  const { code, output } = await runDoctor({ TEMPORAL_ADDRESS: address })

  expect(output).toContain(
    `✗ Temporal: no Temporal server answered at ${address} within 4 s (ECONNREFUSED); start`,
  )
  for (const subject of ['namespace', 'search attributes', 'workers', 'events that wait']) {
    expect(output).toContain(`! ${subject}: not checked, as Temporal could not be reached\n`)
  }
  expect(output).toContain('! endpoint store')
  expect(code).toBe(1)
})

test('a server that accepts connections and says nothing is given up in time', async () => {
  const port = await openTcpServer(() => undefined)
  const startedMs = performance.now()

  const { code, output } = await runDoctor({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` })

  expect(output).toContain('✗ Temporal: ')
  expect(output).toContain('! workers: not checked')
  expect(code).toBe(1)
  expect(performance.now() - startedMs).toBeLessThan(30_000)
})

test('a namespace that is missing is ✗ with the command that makes it', async () => {
  const { code, output } = await runDoctor({ TEMPORAL_NAMESPACE: 'nobody-made-it' })

  expect(output).toContain(
    '✗ namespace nobody-made-it: there is none\n' +
      '  → run `npx external-sync setup`, or set TEMPORAL_NAMESPACE to another\n' +
      '! search attributes: not checked, as the namespace cannot be used\n',
  )
  expect(code).toBe(1)
})

test('a task queue without workers is ! with the command that starts one', async () => {
  const taskQueue = `nobody-${randomUUID()}`

  const { code, output } = await runDoctor({ SYNC_TASK_QUEUE: taskQueue })

  expect(output).toContain(
    `! workers: none on task queue ${taskQueue}\n` +
      '  → start one with `npx external-sync worker`, with the same SYNC_TASK_QUEUE\n',
  )
  expect(code).toBe(0)
})

test('events that wait are ! with their number and the query that finds them', async () => {
  const environment = await openEnvironment()
  const { syncService, taskQueue } = environment
  const receiver = await environment.startReceiver(422)
  await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url })
  await waitUntilWaiting(environment, await syncService.emit('policy.approved', {}), 'rejected')

  await vi.waitFor(
    async () => {
      const { code, output } = await runDoctor({ SYNC_TASK_QUEUE: taskQueue })
      expect(output).toContain(
        '! events that wait: 1\n' +
          `  → find them in the Temporal UI with: SyncWaitingCount > 0 AND TaskQueue = "${taskQueue}"`,
      )
      expect(code).toBe(0)
    },
    { timeout: 45_000, interval: 500 },
  )
  await syncService.removeEndpoint('EMS-Scheduler', { discardWaiting: true })
})

test('each problem of the configuration is a line, and no secret is shown', async () => {
  const { code, output } = await runDoctor({
    SYNC_LOG_LEVEL: 'loud',
    SYNC_MAX_DATA_BYTES: 'many',
    DATABASE_URL: 'mysql://sync:sEcReT@db/sync',
  })

  expect(output).toContain('✗ configuration: SYNC_LOG_LEVEL "loud"\n  → expected one of trace, ')
  expect(output).toContain('✗ configuration: SYNC_MAX_DATA_BYTES "many"\n  → expected a whole number\n')
  expect(output).toContain('✗ configuration: DATABASE_URL\n  → expected postgres://')
  expect(output).toContain('! Temporal: not checked, as the configuration is not accepted\n')
  expect(output).not.toContain('sEcReT')
  expect(code).toBe(1)
})

test('a refused API key and the password of a database are not shown', async () => {
  await using authority = await createAuthority()
  await using proxy = await startTlsProxy(inject('temporalAddress'), {
    ...(await authority.issue('127.0.0.1')),
    refuse: ({ authorization }) => ({ code: 16, message: `${authorization} is not known` }),
  })

  const { code, output } = await runDoctor({
    TEMPORAL_ADDRESS: proxy.address,
    TEMPORAL_TLS_SERVER_CA_CERT_DATA: authority.cert,
    TEMPORAL_API_KEY: 'sEcReT',
    DATABASE_URL: 'postgres://sync:sEcReT@db.city.example/sync',
  })

  expect(output).toContain('does not know the caller (UNAUTHENTICATED)')
  expect(output).toContain('endpoints in postgres://db.city.example/sync\n')
  expect(output).not.toContain('sEcReT')
  expect(code).toBe(1)
})

test('a Node that is too old is ✗ with the version to install', async () => {
  expect(await findingsOf({ nodeVersion: '20.9.0' })).toContainEqual({
    status: 'error',
    text: 'Node 20.9.0 is too old',
    advice: 'install Node 20.19.0 or later',
  })
  expect(await findingsOf({ nodeVersion: '22.1.0' })).toContainEqual(ok('Node 22.1.0'))
})

test('a check that does not end, or throws, is ✗ and never a stack', async () => {
  const hanging = await findingsOf({ timeoutMs: 2_000, checkStore: () => new Promise(() => undefined) })
  expect(hanging.at(-1)).toMatchObject({ status: 'error', text: 'endpoint store: no answer within 2 s' })

  const throwing = await findingsOf({ checkStore: () => Promise.reject(new TypeError('sEcReT')) })
  expect(throwing.at(-1)).toEqual({
    status: 'error',
    text: 'endpoint store: could not be checked (TypeError)',
  })
})

async function runDoctor(variables: NodeJS.ProcessEnv): Promise<CommandResult> {
  const result = await runCommand(['doctor'], {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    SYNC_DATA_DIR: await temporaryFolder(),
    ...variables,
  })
  expect(result.output).not.toMatch(/^\s+at /m)
  return result
}

async function findingsOf(examination: Partial<Parameters<typeof examine>[0]>): Promise<Finding[]> {
  const findings: Finding[] = []
  const env = { TEMPORAL_ADDRESS: inject('temporalAddress'), SYNC_DATA_DIR: await temporaryFolder() }
  await examine({ env, checkStore: () => Promise.resolve([]), ...examination }, (finding) =>
    findings.push(finding),
  )
  return findings
}
