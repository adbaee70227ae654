import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest'
import { createApiToken } from '../../src/api/api-token.js'
import { startReceiver, type Receiver } from '../../src/testing/receiver.js'
import { blockWith, readBlocks, type DocBlock } from '../support/doc-blocks.js'
import { runDoc } from '../support/doc-runner.js'
import { startProgram, type Program } from '../support/program.js'
import { openDatabase } from '../support/test-database.js'

const run = promisify(execFile)

/** Where the README's examples send their events. */
const EXAMPLE_URL = 'https://ems.city.example/hooks'

/** What the blocks hold that a shell runs as they are. */
const RUN_BY_SHELL = [
  'external-sync endpoints add 911-Dispatch',
  'external-sync tokens create',
  'external-sync replay',
  'external-sync setup',
  'external-sync doctor',
  'external-sync migrate',
  'external-sync codec',
]

vi.setConfig({ testTimeout: 180_000 })

let readme: string
let blocks: DocBlock[]
let folder: string
let receiver: Receiver
let worker: Program
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  readme = await readFile('README.md', 'utf8')
  blocks = await readBlocks('README.md')
  folder = await mkdtemp(join(tmpdir(), 'external-sync-test-'))
  receiver = await startReceiver()
  env = {
    ...process.env,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    SYNC_DATA_DIR: folder,
    SYNC_ALLOW_NETWORKS: '127.0.0.0/8',
    SYNC_TASK_QUEUE: `readme-${randomUUID()}`,
  }
  worker = await startProgram(['dist/cli.js', 'worker'], { ...env, SYNC_LOG_LEVEL: 'info' })
  await worker.waitForOutput('worker started')
})

afterAll(async () => {
  await worker.end('SIGTERM')
  await receiver.stop()
  await rm(folder, { recursive: true, force: true })
})

/** The code of the fenced block that holds `part`, with the receiver's address for the example's. */
function block(language: string, part: string): string {
  return blockWith(blocks, language, part).code.replaceAll(EXAMPLE_URL, `${receiver.url}hooks`)
}

/** What the comments behind `console.log` say that it prints. */
function promisedOutput(code: string): string {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)/g)].map(([, line]) => `${line}\n`).join('')
}

function startSnippet(code: string): Promise<Program> {
  return startProgram(['--input-type=module', '--eval', code], env)
}

test('the awaited example prints what it says, and the receiver gets what the README shows', async () => {
  const code = block('js', 'first.workflowId')
  await using program = await startSnippet(code)

  expect(await program.exited).toEqual({ code: 0, signal: null })
  expect(program.output).toBe(promisedOutput(code))

  const [request] = await receiver.waitForRequests(1)
  const shown = block('http', 'POST /hooks')
  const [head = '', body] = shown.trim().split('\n\n')
  expect(request?.text).toBe(body)
  const [requestLine, ...headers] = head.split('\n')
  expect(requestLine).toBe(`${request?.method} ${request?.path} HTTP/1.1`)
  for (const header of headers) {
    const [name = '', value] = header.split(': ')
    expect(String(request?.headers[name])).toMatch(name === 'webhook-timestamp' ? /^\d{10}$/ : (value ?? ''))
  }
})

// Its event has arrived, but the workflow may need a moment more to know.
test('the example that reads deliveries prints what it says', { retry: 3 }, async () => {
  const code = block('js', 'lastStatus')
  await using program = await startSnippet(code)

  expect(await program.exited).toEqual({ code: 0, signal: null })
  expect(program.output).toBe(promisedOutput(code))
})

test('the example without an await delivers, and ends when it is told to', async () => {
  const before = receiver.requests.length
  // As in a real service, something else keeps the process alive until it is told to end.
  const alive =
    "const alive = setInterval(() => {}, 1_000); process.once('SIGTERM', () => clearInterval(alive))"
  await using program = await startSnippet(`${block('js', 'syncService.forward(')}\n${alive}\n`)

  const requests = await receiver.waitForRequests(before + 1)
  expect(requests[before]).toMatchObject({
    headers: { 'webhook-id': 'SAFETY-7-v2' },
    body: { event: 'policy.approved', data: { id: 'SAFETY-7', version: 2 } },
  })
  expect(await program.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(program.output).toBe('')
})

test('the commands over HTTP register, emit and look', async () => {
  await using server = await startProgram(['dist/cli.js', 'serve', '--port', '0'], env)
  await server.waitForOutput('Stop it with Ctrl-C')
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output) ?? []
  const commands = block('sh', '/v1/events').replaceAll('http://127.0.0.1:8080', url)

  const { stdout } = await run('sh', ['-c', commands.replaceAll('\n', '; echo\n')], { env })

  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  expect(answers).toMatchObject([
    { endpoint: { name: 'EMS-Scheduler' } },
    { eventId: 'SAFETY-8-v1', workflowId: 'policy.approved/SAFETY-8-v1' },
    { deliveries: [{ endpoint: 'EMS-Scheduler' }] },
  ])
})

test('the command that registers an endpoint in the container works outside of it', async () => {
  const command = block('sh', 'docker compose exec').replace('docker compose exec worker ', '')

  const { stdout } = await run('sh', ['-c', command], { env })

  expect(stdout).toMatch(/^(created|updated|unchanged)\n$/)
})

test('the example of an API of its own, and that of many events', async () => {
  const planner = await startReceiver()
  onTestFinished(() => planner.stop())
  const mapping = block('js', 'Shift-Planner').replace('https://planner.city.example/', planner.url)
  await using registering = await startSnippet(mapping)
  expect(await registering.exited).toEqual({ code: 0, signal: null })
  expect(registering.output).toBe(promisedOutput(mapping))

  const connected =
    "import { SyncService } from 'external-sync'\nconst syncService = await SyncService.connect()\n"
  const many = `${connected}${block('js', 'emitMany')}\nconsole.log(receipts.length)\nawait syncService.close()`
  await using program = await startSnippet(many)
  expect(await program.exited).toEqual({ code: 0, signal: null })
  expect(program.output).toBe('2\n')
  const requests = await planner.waitForRequests(2)
  expect(requests.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
    'PUT /api/schedules/shift-1',
    'PUT /api/schedules/shift-2',
  ])
})

test('the example of a replay starts one', async () => {
  await using program = await startSnippet(block('js', 'startReplay'))

  expect(await program.exited).toEqual({ code: 0, signal: null })
  expect(program.output).toMatch(/^(running|completed) \d+ \d+\n$/)
})

test('the commands print what the README shows', async () => {
  const { entry } = createApiToken('emit')
  const taskQueue = `readme-${randomUUID()}`
  let ownWorker: Program | undefined
  onTestFinished(() => void ownWorker?.end('SIGKILL'))
  const today = new Date().toISOString().slice(0, 'yyyy-mm-dd'.length)
  const standsFor = new Map([
    ['https://dispatch.city.example/', receiver.url],
    ['temporal.city.example:7233', inject('temporalAddress')],
    ['emit:9f86d081884c7d65…', entry],
    ['SYNC_CODEC_TOKEN=…', `SYNC_CODEC_TOKEN=${randomUUID()}`],
    ['postgres://sync:password@db.city.example/sync', await openDatabase()],
    ['2026-11-01', today],
  ])
  await runDoc('README.md', {
    standsFor,
    variables: {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      SYNC_ALLOW_NETWORKS: '127.0.0.0/8',
      SYNC_TASK_QUEUE: taskQueue,
    },
    runs: ({ code }) => RUN_BY_SHELL.some((part) => code.includes(part)),
    before: {
      'endpoints add 911-Dispatch': async (shell) => {
        ownWorker = await startProgram(['dist/cli.js', 'worker'], {
          ...env,
          SYNC_DATA_DIR: join(shell.folder, '.external-sync'),
          SYNC_TASK_QUEUE: taskQueue,
        })
        await ownWorker.waitForOutput('worker started')
      },
      'external-sync replay': (shell) =>
        shell.run(`npx external-sync endpoints add EMS-Scheduler --url ${receiver.url}`),
      'external-sync doctor': async (shell) => {
        await ownWorker?.end('SIGTERM')
        // On the default one there is no worker of any test.
        await shell.run('unset SYNC_TASK_QUEUE')
      },
      'external-sync codec': (shell) =>
        shell.run(`temporal() { ${inject('temporalCliPath')} "$@" --address $TEMPORAL_ADDRESS; }`),
    },
  })
})

test('the example of a test is the one in examples/', async () => {
  expect(block('ts', 'SyncTestEnvironment')).toBe(await readFile('examples/policy-sync.test.ts', 'utf8'))
})

test('the README has every variable and every error code, and .env.example every variable', async () => {
  const config = await readFile('src/config.ts', 'utf8')
  const errors = await readFile('src/domain/errors.ts', 'utf8')

  const variables = config.match(/\bSYNC_[A-Z_]+|\bDATABASE_URL/g) ?? []
  const codes = [...errors.matchAll(/^ {2}\| '([A-Z_]+)'$/gm)].map(([, code]) => code ?? '')
  expect(codes.length).toBeGreaterThan(10)
  for (const name of [...variables, ...codes]) expect(readme).toContain(`\`${name}\``)

  const example = await readFile('.env.example', 'utf8')
  for (const name of variables) expect(example).toContain(`# ${name}=`)
})

test('what the README says by line 40: what it is, the two commands and their output', () => {
  const top = readme.split('\n').slice(0, 40).join('\n')

  for (const part of ['npm ci && npm run demo', 'npm ci && npm test', 'Everything was delivered']) {
    expect(top).toContain(part)
  }
})
