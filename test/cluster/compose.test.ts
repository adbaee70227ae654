import { randomUUID } from 'node:crypto'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { parseEnv } from 'node:util'
import { Client } from 'pg'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { createApiToken } from '../../src/api/api-token.js'
import { SyncService } from '../../src/client.js'
import { runCommand } from '../../src/embedded/run-command.js'
import { startReceiver } from '../../src/testing/receiver.js'
import {
  composeText,
  parseCompose,
  startOrder,
  type ComposeFile,
  type ComposeService,
} from '../support/compose-file.js'
import { readBlocks } from '../support/doc-blocks.js'
import { openDocShell } from '../support/doc-shell.js'
import { freeLowPorts, freePort } from '../support/free-port.js'
import { openGuardedFolder } from '../support/guarded-folder.js'
import { startPostgres } from '../support/postgres.js'
import { startProgram } from '../support/program.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { waitForDeliveries } from '../support/waiting.js'

/** Beside what the README has in `.env`. */
const ENV = {
  SYNC_CODEC_TOKEN: randomUUID(),
  SYNC_API_TOKENS: createApiToken('admin').entry,
  SYNC_ALLOW_NETWORKS: '127.0.0.0/8',
}

/** Where a port of a service is here: the containers' `postgres:5432` may be `127.0.0.1:31234`. */
type Places = Map<string, number>

test('what the compose file runs works together, outside containers', { timeout: 300_000 }, async () => {
  const env = { ...ENV, ...(await envOfReadme()) }
  const { services, configs } = parseCompose(await composeText(), env)
  const folder = await temporaryFolder()
  const path = await programFolder(folder)
  const places: Places = new Map()
  const printed = new Map<string, () => string>()

  const run: Record<string, (service: ComposeService) => Promise<void>> = {
    postgres: async ({ environment = {} }) => {
      places.set('postgres:5432', await openPostgres(environment))
    },
    temporal: async (service) => {
      const config = join(folder, 'dynamic-config.yaml')
      await writeFile(config, configs['temporal-dynamic-config']?.content ?? '')
      expect(service.configs?.[0]?.target).toBe(service.environment?.['DYNAMIC_CONFIG_FILE_PATH'])
      const ports = await openTemporal({ ...here(service, places), DYNAMIC_CONFIG_FILE_PATH: config })
      places.set('temporal:7233', ports.grpc).set('127.0.0.1:7243', ports.http)
    },
    // Its image is all that it is.
    ui: async () => undefined,
    worker: async (service) => {
      const worker = await openProgram(service, here(service, places))
      printed.set('worker', () => worker.output)
      await worker.waitForOutput('worker started')
    },
    codec: async (service) => {
      const codec = await openListening(service, '8234', places)
      await codec.waitForOutput('is ready')
    },
    api: async (service) => {
      const api = await openListening(service, '8080', places)
      await api.waitForOutput('Stop it with Ctrl-C')
      await probe(service, places)
    },
  }
  const order = startOrder(services)
  for (const name of order) {
    const service = serviceOf(services, name)
    const start = run[name] ?? (() => runJob(service, here(service, places), path))
    await start(service)
    if (name === 'temporal') await waitUntilHealthy(service, places)
  }
  expect(order.indexOf('setup')).toBeGreaterThan(order.indexOf('temporal'))

  // Jobs run at each start, and change nothing then.
  for (const name of ['temporal-schema', 'migrate', 'setup']) {
    const service = serviceOf(services, name)
    await runJob(service, here(service, places), path)
  }

  const worker = serviceOf(services, 'worker')
  const environment = { ...process.env, ...here(worker, places) }
  await probe(worker, places)

  await using receiver = await startReceiver()
  await using syncService = await SyncService.connect({ env: environment })
  await syncService.registerEndpoint('EMS-Scheduler', { url: receiver.url, authToken: 'Bearer abc123' })
  const receipt = await syncService.emit('policy.approved', { id: 'SAFETY-7' }, { key: 'policy/7' })
  await waitForDeliveries(syncService, receipt, [{ endpoint: 'EMS-Scheduler', state: 'delivered' }])
  expect(receiver.requests).toMatchObject([{ headers: { authorization: 'Bearer abc123' } }])
  expect(printed.get('worker')?.()).not.toContain(env.POSTGRES_PASSWORD)
})

/** The variables of the `.env` that the README makes; this test does then what its `docker compose up` does. */
async function envOfReadme(): Promise<Record<'POSTGRES_PASSWORD' | 'SYNC_ENCRYPTION_KEYS', string>> {
  const block = (await readBlocks('README.md')).find(({ code }) => code.includes('docker compose up'))
  const [makeEnv = '', ...others] = block?.code.trimEnd().split('\n') ?? []
  expect(others).toEqual(['docker compose up --build --detach'])
  await using shell = await openDocShell()
  await shell.run(makeEnv)
  const { POSTGRES_PASSWORD = '', SYNC_ENCRYPTION_KEYS = '' } = parseEnv(
    await readFile(join(shell.folder, '.env'), 'utf8'),
  )
  expect(POSTGRES_PASSWORD).toMatch(/^[0-9a-f]{48}$/)
  return { POSTGRES_PASSWORD, SYNC_ENCRYPTION_KEYS }
}

function serviceOf(services: ComposeFile['services'], name: string): ComposeService {
  const service = services[name]
  if (service === undefined) throw new Error(`the compose file has no service ${name}`)
  return service
}

/** The variables of a service, with places of here for those of the containers. */
function here({ environment = {} }: ComposeService, places: Places): Record<string, string> {
  const values = { ...environment }
  for (const [place, port] of places) {
    const [host = '', containerPort = ''] = place.split(':')
    for (const [name, value] of Object.entries(values)) {
      if (value === host) values[name] = '127.0.0.1'
      else if (value === containerPort) values[name] = String(port)
      else values[name] = value.replace(place, `127.0.0.1:${port}`)
    }
  }
  return values
}

/** What a service runs, with the programs of its image; `node` is the one that runs the tests. */
async function runJob(
  { command: [program = '', ...args] = [] }: ComposeService,
  env: Record<string, string>,
  path: string,
): Promise<void> {
  const search = [path, process.env['PATH']].join(delimiter)
  await runCommand(program === 'node' ? process.execPath : program, args, { env: { ...env, PATH: search } })
}

/** Runs a service that listens on all addresses of its container, here on a free port of loopback. */
async function openListening(
  service: ComposeService,
  containerPort: string,
  places: Places,
): ReturnType<typeof openProgram> {
  const port = await freePort()
  places.set(`127.0.0.1:${containerPort}`, port)
  const command = service.command?.map((part) =>
    part.replace(containerPort, String(port)).replace('0.0.0.0', '127.0.0.1'),
  )
  return openProgram({ command: command ?? [] }, here(service, places))
}

/** Runs a service's health check of `node`. */
async function probe(service: ComposeService, places: Places): Promise<void> {
  const [, , ...args] = service.healthcheck?.test ?? []
  const atHome = [...places].reduce(
    (parts, [place, port]) => parts.map((part) => part.replace(place, `127.0.0.1:${port}`)),
    args,
  )
  await runCommand(process.execPath, atHome, { env: here(service, places) })
}

async function openProgram(
  { command: [, ...args] = [] }: Pick<ComposeService, 'command'>,
  env: Record<string, string>,
) {
  const program = await startProgram(args, { ...process.env, ...env })
  onTestFinished(() => program.end('SIGTERM').then(() => undefined))
  return program
}

/** A folder with the programs of Temporal's images under the names that they have there. */
async function programFolder(folder: string): Promise<string> {
  const path = join(folder, 'bin')
  await mkdir(path)
  await symlink(inject('serverPrograms').sqlTool, join(path, 'temporal-sql-tool'))
  return path
}

/** What the image does with its variables: a superuser and a database. */
async function openPostgres(variables: Readonly<Record<string, string>>): Promise<number> {
  const postgres = await startPostgres()
  onTestFinished(() => postgres[Symbol.asyncDispose]())
  const client = new Client({ connectionString: postgres.url() })
  await client.connect()
  const { POSTGRES_USER: user = '', POSTGRES_DB: database = '', POSTGRES_PASSWORD: password = '' } = variables
  await client.query(`create role ${user} superuser login password ${client.escapeLiteral(password)}`)
  await client.query(`create database ${database} owner ${user}`)
  await client.end()
  return Number(new URL(postgres.url()).port)
}

/** What the image runs; its ports are others here, and it is on loopback. */
async function openTemporal(env: Record<string, string>): Promise<{ grpc: number; http: number }> {
  const ports = await freeLowPorts(9)
  const variables = ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((service, index) => [
    [`${service}_GRPC_PORT`, String(ports[index])],
    [`${service}_MEMBERSHIP_PORT`, String(ports[index + 4])],
  ])
  const [grpc = 0, http = 0] = [ports[0], ports[8]]
  const folder = await openGuardedFolder('external-sync-temporal-')
  const server = folder.run(inject('serverPrograms').server, ['start'], {
    env: {
      ...env,
      ...Object.fromEntries(variables),
      FRONTEND_HTTP_PORT: String(http),
      BIND_ON_IP: '127.0.0.1',
    },
  })
  onTestFinished(async () => {
    server.kill('SIGTERM')
    await server.ended
    await folder.remove()
  })
  return { grpc, http }
}

/** Asks what the health check asks, where its program may be missing here. */
async function waitUntilHealthy({ healthcheck }: ComposeService, places: Places): Promise<void> {
  const address = healthcheck?.test.at(-1) ?? ''
  const place = [...places].find(([containers]) => address.includes(containers))
  const url = address.replace(place?.[0] ?? '', `127.0.0.1:${place?.[1]}`)
  await vi.waitFor(async () => expect((await fetch(url)).status).toBe(200), {
    timeout: 120_000,
    interval: 200,
  })
}
