import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { openEmbedded } from '../support/separate-processes.js'
import { SyncService } from '../../src/client.js'
import type { EndpointSettings } from '../../src/domain/endpoint.js'
import { formatKeys, generateKey } from '../../src/encryption/key-ring.js'
import { readRunningServer } from '../../src/embedded/server-record.js'
import type { Respond } from '../../src/testing/index.js'
import { textInTables } from '../store/fixtures/tables.js'
import { createDatabase } from '../support/postgres-database.js'
import { emitIn, type Grouping } from '../support/grouping.js'
import { freePort } from '../support/free-port.js'
import { recordingLogger } from '../support/recording-logger.js'
import { textIn } from '../support/text-in.js'
import { textInDatabase } from '../support/text-in-database.js'
import { waitForDeliveries } from '../support/waiting.js'

const DATA = { entity: 'policy/42', marker: `data-${randomUUID()}` }

/** Each differs in every encoding that it may meet. */
const secrets = Object.fromEntries(
  ['token', 'path', 'query', 'refused', 'password', 'apiKey', 'client', 'access', 'header', 'signing'].map(
    (name) => [name, `${name}~/${randomUUID()}+=`],
  ),
) as Record<
  'token' | 'path' | 'query' | 'refused' | 'password' | 'apiKey' | 'client' | 'access' | 'header' | 'signing',
  string
>

vi.setConfig({ testTimeout: 180_000 })

interface Variant {
  variables: NodeJS.ProcessEnv
  /** Secrets of the system itself. */
  own: string[]
  /** The dump of the endpoint store. */
  store: (folder: string) => string | Promise<string>
  /** Whether Temporal sees the data of events. */
  isPlain: boolean
  grouping: Grouping
}

async function onSqlite(grouping: Grouping): Promise<Variant> {
  return {
    grouping,
    variables: {},
    own: [],
    store: (folder) => textInDatabase(join(folder, 'endpoints.db')),
    isPlain: true,
  }
}

async function onPostgresEncrypted(): Promise<Variant> {
  const url = await createDatabase(inject('postgresUrl'))
  const key = generateKey()
  const token = randomUUID()
  return {
    grouping: 'auto',
    variables: {
      DATABASE_URL: url,
      SYNC_ENCRYPTION_KEYS: formatKeys([key]),
      SYNC_ENCRYPT_PAYLOADS: 'true',
      SYNC_CODEC_TOKEN: token,
    },
    own: [new URL(url).password, Buffer.from(key.secret).toString('base64'), token],
    store: () => textInTables(url),
    isPlain: false,
  }
}

test.each<[title: string, variant: () => Promise<Variant>]>([
  ['embedded, with its own files', () => onSqlite('off')],
  ['embedded, with its own files, in a group', () => onSqlite('auto')],
  ['with Postgres, and encrypted payloads, in a group', onPostgresEncrypted],
])(
  'no secret and no path of a URL gets into Temporal, its files, the store, logs, answers or errors: %s',
  async (_title, prepare) => {
    const { variables, own, store, isPlain, grouping } = await prepare()
    const embedded = await openEmbedded({ onTestFinished }, variables)
    const { logger, lines } = recordingLogger()
    const commands = [await embedded.runCommand(['migrate'])]
    const system = await embedded.startEmbedded()
    const syncService = await embedded.connect({ logger, grouping })
    const receivers = {
      delivered: await embedded.startReceiver(echo(200)),
      failing: await embedded.startReceiver(echo(503)),
      misconfigured: await embedded.startReceiver(echo(401)),
      recovering: await embedded.startReceiver(echo(503), echo(200)),
      redirecting: await embedded.startReceiver(echo(302)),
      rejecting: await embedded.startReceiver(echo(422)),
      resetting: await embedded.startReceiver((_, response) => void response.socket?.resetAndDestroy()),
    }
    for (const [name, { url }] of Object.entries(receivers)) {
      await syncService.registerEndpoint(name, settingsAt(url))
    }
    const tokens = await embedded.startReceiver((_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ access_token: secrets.access, token_type: 'Bearer', expires_in: 3600 }))
    })
    const authenticating = await embedded.startReceiver(echo(422))
    for (const [name, settings] of Object.entries(otherCredentials(authenticating.url, tokens.url))) {
      await syncService.registerEndpoint(name, settings)
    }
    await syncService.registerEndpoint('unreachable', settingsAt(`http://127.0.0.1:${await freePort()}`))

    const receipt = await emitIn(grouping, syncService, 'policy.approved', DATA)
    const deliveries = await waitForDeliveries(syncService, receipt, [
      { endpoint: 'auth-basic', state: 'waiting', reason: 'rejected' },
      { endpoint: 'auth-header', state: 'waiting', reason: 'rejected' },
      { endpoint: 'auth-oauth2', state: 'waiting', reason: 'rejected' },
      { endpoint: 'auth-signed', state: 'waiting', reason: 'rejected' },
      { endpoint: 'delivered', state: 'delivered' },
      { endpoint: 'failing', state: 'attempting', attempts: 2 },
      { endpoint: 'misconfigured', state: 'waiting', reason: 'misconfigured' },
      { endpoint: 'recovering', state: 'delivered' },
      { endpoint: 'redirecting', state: 'waiting', reason: 'misconfigured' },
      { endpoint: 'rejecting', state: 'waiting', reason: 'rejected' },
      { endpoint: 'resetting', state: 'attempting', attempts: 2 },
      { endpoint: 'unreachable', state: 'attempting', attempts: 2 },
    ])
    const connection = await Connection.connect({
      address: (await readRunningServer(join(embedded.folder, 'temporal.db')))?.address ?? '',
    })
    // The event's own one, and the one of its group.
    const workflowIds = [...new Set([`policy.approved/${receipt.eventId}`, receipt.workflowId])]
    const { workflow, workflowService } = new Client({ connection })
    const inWorkflows = async (read: (workflowId: string) => Promise<unknown>): Promise<string> =>
      textIn(await Promise.all(workflowIds.map(read)))
    // The URL is a setting that its owner may read.
    const views = (await syncService.listEndpoints()).map((view) => ({ ...view, url: '' }))
    const seen = {
      history: await inWorkflows((workflowId) => workflow.getHandle(workflowId).fetchHistory()),
      description: await inWorkflows((workflowId) =>
        workflowService.describeWorkflowExecution({ namespace: 'default', execution: { workflowId } }),
      ),
      details: await inWorkflows((workflowId) =>
        workflowService.queryWorkflow({
          namespace: 'default',
          execution: { workflowId },
          query: { queryType: '__temporal_workflow_metadata' },
        }),
      ),
      deliveries: textIn(deliveries),
      shown: textIn([views, await syncService.endpointHistory('auth-oauth2')]),
      errors: textIn(await refusedInputs(syncService)),
    }
    commands.push(
      await embedded.runCommand(['doctor']),
      await embedded.runCommand(['endpoints', 'history', 'auth-signed', '--json']),
      await embedded.runCommand(['endpoints', 'list']),
      await embedded.runCommand(['endpoints', 'test', 'rejecting']),
      await embedded.runCommand(['events', 'show', 'policy.approved', receipt.eventId]),
      await embedded.runCommand(['events', 'show', 'policy.approved', receipt.eventId, '--json']),
      await embedded.runCommand(['deliveries', 'waiting', '--json']),
      await embedded.runCommand(['keys', 'rotate']),
      await embedded.runCommand(['worker'], {
        SYNC_ENCRYPTION_KEYS: `k:${Buffer.alloc(32).toString('base64')}`,
      }),
      await embedded.runCommand(['worker'], { SYNC_ENCRYPTION_KEYS: `k:${secrets.refused}` }),
      await embedded.runCommand(['worker'], {
        DATABASE_URL: `postgres://sync:${secrets.refused}@127.0.0.1:1/sync`,
      }),
    )
    await connection.close()
    await syncService.close()
    expect(await system.end('SIGTERM')).toMatchObject({ code: 0 })

    const places = {
      ...seen,
      database: textInDatabase(join(embedded.folder, 'temporal.db')),
      'endpoint store': await store(embedded.folder),
      'log of the server': await readFile(join(embedded.folder, 'temporal.log'), 'utf8'),
      'log of the worker': system.output,
      'log of the client': lines.join(''),
      'what commands print': commands.map(({ output }) => output).join('\n'),
    }
    const sent = textIn([receivers.delivered.requests, authenticating.requests, tokens.requests])
    expect(findSecrets(sent), 'secrets where they must be').not.toEqual([])
    const controls: [place: keyof typeof places, text: string][] = [
      ...(isPlain
        ? ([
            ['history', DATA.marker],
            ['database', DATA.marker],
            ['description', 'HTTP 503'],
            ['details', 'redirecting'],
          ] as [keyof typeof places, string][])
        : []),
      ['endpoint store', 'auth-oauth2'],
      ['log of the worker', receipt.eventId],
      ['errors', 'authToken is not accepted'],
      ['shown', 'authType'],
      ['what commands print', 'signingSecrets'],
      ['what commands print', '12 of 12 endpoints'],
    ]
    expect(controls.filter(([place, text]) => !places[place].includes(text))).toEqual([])
    const found = Object.entries(places).flatMap(([place, text]) =>
      [...findSecrets(text, own), ...(!isPlain && text.includes(DATA.marker) ? [DATA.marker] : [])].map(
        (secret) => [place, secret],
      ),
    )
    expect(found).toEqual([])
  },
)

function settingsAt(origin: string) {
  const url = new URL(`${origin}/hooks/${secrets.path}?key=${secrets.query}`).href
  return { url, authToken: `Bearer ${secrets.token}` }
}

/** An endpoint for each other way to authenticate. */
function otherCredentials(url: string, tokenUrl: string): Record<string, EndpointSettings> {
  return {
    'auth-basic': { url, auth: { type: 'basic', username: 'sync', password: secrets.password } },
    'auth-header': { url, auth: { type: 'header', name: 'x-api-key', value: secrets.apiKey } },
    'auth-oauth2': {
      url,
      auth: { type: 'oauth2', tokenUrl, clientId: 'sync', clientSecret: secrets.client },
      headers: { 'x-tenant-key': secrets.header },
    },
    'auth-signed': { url, signingSecrets: [`whsec_${Buffer.from(secrets.signing).toString('base64')}`] },
  }
}

/** Gives back what it got wherever an answer can hold it. */
function echo(status: number): Respond {
  return ({ headers, path }, response) => {
    const { authorization = headers['x-api-key'] ?? '' } = headers
    response.statusMessage = String(authorization)
    response.writeHead(status, {
      location: path,
      'www-authenticate': authorization,
      'retry-after': path,
    })
    response.end(JSON.stringify([authorization, path, headers['x-tenant-key']]))
  }
}

async function refusedInputs(syncService: SyncService): Promise<unknown[]> {
  const secret = secrets.refused
  const good = settingsAt('https://ems.city.example')
  const refused: [name: string, settings: unknown][] = [
    ['EMS', { ...good, authToken: `Bearer ${secret}\n` }],
    ['EMS', { ...good, authToken: [secret] }],
    ['EMS', { ...good, authToken: { token: secret } }],
    ['EMS', { ...good, url: `https://user:${secret}@ems.city.example` }],
    ['EMS', { ...good, url: `https://${encodeURIComponent(secret)}@ems.city.example/${secret}` }],
    ['EMS', { ...good, url: `ftp://ems.city.example/${secret}?key=${secret}#${secret}` }],
    ['EMS', { ...good, url: `ems.city.example/${secret}` }],
    ['EMS', { ...good, url: [`https://ems.city.example/${secret}`] }],
    ['EMS', { ...good, authtoken: secret }],
    ['EMS', `https://ems.city.example/${secret}`],
    ['EMS', [secret]],
    ['E M S', good],
  ]
  const results = await Promise.allSettled([
    ...refused.map(([name, settings]) => syncService.registerEndpoint(name, settings as { url: string })),
    ...refused
      .filter(([, settings]) => typeof settings === 'object' && !Array.isArray(settings))
      .map(([, settings]) => syncService.updateEndpoint('delivered', settings as { url: string })),
  ])
  const errors = results.map((result) => (result.status === 'rejected' ? result.reason : undefined))
  return [...errors, constructionError({ temporal: secret }), constructionError(secret)]
}

function constructionError(options: unknown): unknown {
  try {
    return new SyncService(options as object)
  } catch (error) {
    return error
  }
}

function findSecrets(text: string, others: readonly string[] = []): string[] {
  const encodings = ['base64', 'base64url', 'hex'] as const
  const needles = [...Object.values(secrets), ...others].flatMap((secret) => [
    secret,
    encodeURI(secret),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    ...encodings.flatMap((encoding) =>
      [secret, `Bearer ${secret}`].map((value) => Buffer.from(value).toString(encoding).replace(/=+$/, '')),
    ),
  ])
  return [...new Set(needles)].filter((needle) => text.includes(needle))
}
