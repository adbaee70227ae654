import { randomUUID } from 'node:crypto'
import { Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { SyncService } from '../../src/client.js'
import { SEARCH_ATTRIBUTES } from '../../src/domain/search-attributes.js'
import { addSearchAttributes, findSearchAttributeGaps } from '../../src/temporal/search-attributes.js'
import { readRetentionDays, setUpNamespace } from '../../src/temporal/setup-namespace.js'
import type { SetupStep } from '../../src/temporal/setup-step.js'
import { createAuthority } from '../support/certificates.js'
import { runCommand, type CommandResult } from '../support/cli.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { startTlsProxy, type GrpcRefusal, type TlsProxyOptions } from '../support/tls-proxy.js'

const ATTRIBUTES = Object.entries(SEARCH_ATTRIBUTES).map(
  ([name, type]) => `search attribute ${name} (${type})`,
)

/** `temporal.api.enums.v1.IndexedValueType` */
const KEYWORD = 2

let connection: Connection

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') })
})
afterAll(() => connection.close())

test('setup makes a new namespace that can be used at once, and finds all there the second time', async () => {
  const namespace = newNamespace()
  const env = { ...(await environment()), TEMPORAL_NAMESPACE: namespace }

  const first = await runCommand(['setup'], env)

  expect(first.code).toBe(0)
  expect(linesOf(first)).toEqual([
    `Temporal at ${inject('temporalAddress')}, without TLS`,
    `created namespace ${namespace}`,
    'created retention of closed workflows, 30 days',
    ...ATTRIBUTES.map((thing) => `created ${thing}`),
    expect.stringMatching(/^created endpoint store /),
  ])
  await using syncService = await SyncService.connect({ env })
  expect(await syncService.emit('policy.approved', {}, { key: 'policy/42' })).toMatchObject({
    duplicate: false,
  })

  const second = await runCommand(['setup'], env)

  expect(second.code).toBe(0)
  expect(linesOf(second).slice(1)).toEqual([
    `there already namespace ${namespace}`,
    'there already retention of closed workflows, 30 days',
    ...ATTRIBUTES.map((thing) => `there already ${thing}`),
    expect.stringMatching(/^there already endpoint store /),
  ])
})

test('processes that set up the same namespace at once all succeed, and nothing is missing then', async () => {
  const namespace = newNamespace()
  const env = { ...(await environment()), TEMPORAL_NAMESPACE: namespace }

  const results = await Promise.all([
    runCommand(['setup'], env),
    runCommand(['setup', '--retention-days', '40'], env),
    runCommand(['setup'], env),
  ])

  expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
  const made = results.flatMap(linesOf).filter((line) => line === `created namespace ${namespace}`)
  expect(made).toHaveLength(1)
  expect(await findSearchAttributeGaps(connection, namespace)).toEqual({ missing: [], mismatched: [] })
  expect(await retentionOf(namespace)).toBe(40)
})

test('a race for the same namespace within milliseconds is success for all', async () => {
  const namespace = newNamespace()

  const runs = await Promise.all(Array.from({ length: 6 }, () => setUp(namespace)))

  const made = runs.map(([namespaceStep]) => namespaceStep?.done)
  expect(made.filter((done) => done === 'created')).toHaveLength(1)
  expect(made.filter((done) => done === 'there already')).toHaveLength(5)
  expect(await findSearchAttributeGaps(connection, namespace)).toEqual({ missing: [], mismatched: [] })
})

test('what parts of the server do not know yet is asked for until they do', async () => {
  const unknown = new Map<string, GrpcRefusal>([
    ['ListSearchAttributes', { code: 5, message: 'Namespace is not found.' }],
    ['DescribeTaskQueue', { code: 5, message: 'Namespace is not found.' }],
    ['DescribeWorkflowExecution', { code: 5, message: 'Namespace is not found.' }],
    ['CountWorkflowExecutions', { code: 3, message: 'invalid search attribute' }],
  ])
  const asked: string[] = []
  const refuse: TlsProxyOptions['refuse'] = ({ method }) => {
    asked.push(method)
    return asked.filter((other) => other === method).length < 3 ? unknown.get(method) : undefined
  }

  await throughProxy(refuse, (partial, address) =>
    setUpNamespace(partial, { namespace: newNamespace(), address }, () => undefined),
  )

  for (const method of unknown.keys())
    expect(asked.filter((other) => other === method).length).toBeGreaterThan(2)
  expect(asked.lastIndexOf('ListSearchAttributes')).toBeGreaterThan(asked.lastIndexOf('AddSearchAttributes'))
})

test('what the server does not know in time is an error that names the namespace', async () => {
  const namespace = newNamespace()
  await setUp(namespace)
  await throughProxy(forgetTaskQueues, async (partial, address) => {
    const setup = { namespace, address, timeoutMs: 1_000 }
    await expect(setUpNamespace(partial, setup, () => undefined)).rejects.toMatchObject({
      code: 'TEMPORAL_SETUP_FAILED',
      message: expect.stringContaining(`namespace "${namespace}"`),
    })
  })
})

test('the retention of a namespace that exists changes only when that is asked for', async () => {
  const namespace = newNamespace()
  await setUp(namespace, 3)

  const [, shown] = await setUp(namespace)
  expect(shown).toEqual({
    thing: 'retention of closed workflows, 3 days',
    done: 'there already',
    warning: expect.stringContaining('--retention-days 30'),
  })
  expect(await retentionOf(namespace)).toBe(3)

  const [, changed] = await setUp(namespace, 45)
  expect(changed).toEqual({ thing: 'retention of closed workflows, 45 days', done: 'changed' })
  expect(await retentionOf(namespace)).toBe(45)
})

test('search attributes that are missing are added to those that are there', async () => {
  const namespace = newNamespace()
  await setUp(namespace)
  await connection.operatorService.removeSearchAttributes({ namespace, searchAttributes: ['SyncWaitingOn'] })

  const steps = await setUp(namespace)

  expect(steps.slice(2).map(({ done }) => done)).toEqual([
    'there already',
    'there already',
    'created',
    'there already',
  ])
  expect(await findSearchAttributeGaps(connection, namespace)).toEqual({ missing: [], mismatched: [] })
})

test('a search attribute of another type is an error that says what to do, for setup and for clients', async () => {
  const namespace = newNamespace()
  const env = { ...(await environment()), TEMPORAL_NAMESPACE: namespace }
  await setUp(namespace)
  await connection.operatorService.removeSearchAttributes({
    namespace,
    searchAttributes: ['SyncWaitingCount'],
  })
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries([['SyncWaitingCount', KEYWORD]]),
  })

  const { code, output } = await runCommand(['setup'], env)

  expect(code).toBe(1)
  expect(output).toContain('TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH')
  expect(output).toContain('SyncWaitingCount is Keyword and not Int')
  expect(output).toContain(`search-attribute remove --namespace ${namespace}`)
  await expect(SyncService.connect({ env })).rejects.toMatchObject({
    code: 'TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH',
  })
})

test('adding search attributes that are there already is success', async () => {
  const namespace = newNamespace()
  await setUp(namespace)

  await expect(addSearchAttributes(connection, namespace)).resolves.toBeUndefined()
})

test.each([
  ['PERMISSION_DENIED', { code: 7, message: 'Request unauthorized.' }],
  ['UNIMPLEMENTED', { code: 12, message: 'unknown service' }],
])('where the server answers %s, setup says which commands do it', async (_, refusal) => {
  const namespace = newNamespace()

  const { code, output } = await setUpThrough(refusal, ['RegisterNamespace'], namespace)

  expect(code).toBe(1)
  expect(output).toContain('TEMPORAL_SETUP_FAILED')
  expect(output).toContain(`tcld namespace search-attributes add --namespace ${namespace}`)
  expect(output).toContain('--search-attribute "SyncWaitingOn=KeywordList"')
  expect(output).toContain('tcld namespace create --namespace <name> --region <region> --retention-days 30')
  expect(output).not.toMatch(/^\s+at /m)
})

test('where search attributes cannot be listed, setup and clients ask for them by queries', async () => {
  const hidden = ['ListSearchAttributes', 'AddSearchAttributes']
  const refusal = { code: 7, message: 'Request unauthorized.' }
  const namespace = newNamespace()
  await setUp(namespace)

  const complete = await setUpThrough(refusal, hidden, namespace)
  expect(complete.code).toBe(0)
  expect(linesOf(complete)).toContain('there already search attribute SyncWaitingCount (Int)')

  await connection.operatorService.removeSearchAttributes({
    namespace,
    searchAttributes: ['SyncWaitingCount'],
  })
  await expect
    .poll(async () => (await setUpThrough(refusal, hidden, namespace)).output, { timeout: 40_000 })
    .toContain('does not let this caller administer')
})

test('a namespace name that the server refuses ends setup at once, in the server’s words', async () => {
  const env = { ...(await environment()), TEMPORAL_NAMESPACE: `no such/name ${'x'.repeat(1_500)}` }

  const { code, output } = await runCommand(['setup'], env)

  expect(code).toBe(1)
  expect(output).toContain('TEMPORAL_SETUP_FAILED')
  expect(output).not.toMatch(/^\s+at /m)
})

test.each(['0', '1.5', '4000'])('--retention-days %s is refused', async (days) => {
  const { code, output } = await runCommand(['setup', '--retention-days', days], await environment())

  expect(code).toBe(2)
  expect(output).toContain('expected a whole number of days from 1 to 3650')
})

/** A namespace of a test's own. */
function newNamespace(): string {
  return `setup-${randomUUID()}`
}

async function environment(): Promise<NodeJS.ProcessEnv> {
  return { TEMPORAL_ADDRESS: inject('temporalAddress'), SYNC_DATA_DIR: await temporaryFolder() }
}

async function setUp(namespace: string, retentionDays?: number): Promise<SetupStep[]> {
  const steps: SetupStep[] = []
  const address = inject('temporalAddress')
  await setUpNamespace(connection, { namespace, address, retentionDays }, (step) => steps.push(step))
  return steps
}

/** As a role that lacks the right to call these methods. */
async function setUpThrough(
  refusal: GrpcRefusal,
  methods: readonly string[],
  namespace: string,
): Promise<CommandResult> {
  await using authority = await createAuthority()
  await using proxy = await startTlsProxy(inject('temporalAddress'), {
    ...(await authority.issue('127.0.0.1')),
    refuse: ({ method }) => (methods.includes(method) ? refusal : undefined),
  })
  return await runCommand(['setup'], {
    ...(await environment()),
    TEMPORAL_ADDRESS: proxy.address,
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_TLS_SERVER_CA_CERT_DATA: authority.cert,
  })
}

/** As a part of the server that never learns of the namespace. */
function forgetTaskQueues({ method }: { method: string }): GrpcRefusal | undefined {
  return method === 'DescribeTaskQueue' ? { code: 5, message: 'Namespace is not found.' } : undefined
}

/** Connects to the server behind a proxy that refuses some calls. */
async function throughProxy(
  refuse: TlsProxyOptions['refuse'],
  use: (connection: Connection, address: string) => Promise<void>,
): Promise<void> {
  await using authority = await createAuthority()
  const certificate = await authority.issue('127.0.0.1')
  await using proxy = await startTlsProxy(inject('temporalAddress'), {
    ...certificate,
    ...(refuse !== undefined && { refuse }),
  })
  const tls = { serverRootCACertificate: Buffer.from(authority.cert) }
  const partial = await Connection.connect({ address: proxy.address, tls })
  try {
    await use(partial, proxy.address)
  } finally {
    await partial.close()
  }
}

function retentionOf(namespace: string): Promise<number | undefined> {
  return readRetentionDays(connection, { namespace, address: inject('temporalAddress') })
}

function linesOf({ output }: CommandResult): string[] {
  return output
    .trim()
    .split('\n')
    .map((line) => line.trim().replace(/\s{2,}/, ' '))
}
