import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { expect, test, vi } from 'vitest'
import { openEmbedded } from '../support/separate-processes.js'
import { SyncService } from '../../src/client.js'
import { readRunningServer } from '../../src/embedded/server-record.js'
import type { Respond } from '../../src/testing/index.js'
import { freePort } from '../support/free-port.js'
import { recordingLogger } from '../support/recording-logger.js'
import { textIn } from '../support/text-in.js'
import { textInDatabase } from '../support/text-in-database.js'
import { waitForDeliveries } from '../support/waiting.js'

const DATA = { entity: 'policy/42', marker: `data-${randomUUID()}` }

vi.setConfig({ testTimeout: 120_000 })

test('no secret and no path of a URL gets into Temporal, its files, logs, answers or errors', async (context) => {
  const embedded = await openEmbedded(context)
  const { logger, lines } = recordingLogger()
  const system = await embedded.startEmbedded()
  const syncService = await embedded.connect({ logger })
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
  await syncService.registerEndpoint('unreachable', settingsAt(`http://127.0.0.1:${await freePort()}`))

  const receipt = await syncService.emit('policy.approved', DATA)
  const deliveries = await waitForDeliveries(syncService, receipt, [
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
  const handle = new Client({ connection }).workflow.getHandle(receipt.workflowId)
  const seen = {
    history: textIn(await handle.fetchHistory()),
    description: textIn(await handle.describe()),
    details: textIn(await handle.query('__temporal_workflow_metadata')),
    deliveries: textIn(deliveries),
    errors: textIn(await refusedInputs(syncService)),
  }
  await connection.close()
  await syncService.close()
  expect(await system.end('SIGTERM')).toMatchObject({ code: 0 })

  const places = {
    ...seen,
    database: textInDatabase(join(embedded.folder, 'temporal.db')),
    'log of the server': await readFile(join(embedded.folder, 'temporal.log'), 'utf8'),
    'log of the worker': system.output,
    'log of the client': lines.join(''),
  }
  expect(findSecrets(textIn(receivers.delivered.requests)), 'secrets where they must be').not.toEqual([])
  const controls: [place: keyof typeof places, text: string][] = [
    ['history', DATA.marker],
    ['database', DATA.marker],
    ['description', 'HTTP 503'],
    ['details', 'redirecting'],
    ['log of the worker', receipt.eventId],
    ['errors', 'authToken is not accepted'],
  ]
  expect(controls.filter(([place, text]) => !places[place].includes(text))).toEqual([])
  const found = Object.entries(places).flatMap(([place, text]) =>
    findSecrets(text).map((secret) => [place, secret]),
  )
  expect(found).toEqual([])
})

/** Each differs in every encoding that it may meet. */
const secrets = Object.fromEntries(
  ['token', 'path', 'query', 'refused'].map((name) => [name, `${name}~/${randomUUID()}+=`]),
) as Record<'token' | 'path' | 'query' | 'refused', string>

function settingsAt(origin: string) {
  const url = new URL(`${origin}/hooks/${secrets.path}?key=${secrets.query}`).href
  return { url, authToken: `Bearer ${secrets.token}` }
}

/** Gives back what it got wherever an answer can hold it. */
function echo(status: number): Respond {
  return ({ headers: { authorization = '' }, path }, response) => {
    response.statusMessage = authorization
    response.writeHead(status, { location: path, 'www-authenticate': authorization, 'retry-after': path })
    response.end(JSON.stringify([authorization, path]))
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

function findSecrets(text: string): string[] {
  const encodings = ['base64', 'base64url', 'hex'] as const
  const needles = Object.values(secrets).flatMap((secret) => [
    secret,
    encodeURI(secret),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    ...encodings.flatMap((encoding) =>
      [secret, `Bearer ${secret}`].map((value) => Buffer.from(value).toString(encoding)),
    ),
  ])
  return [...new Set(needles)].filter((needle) => text.includes(needle))
}
