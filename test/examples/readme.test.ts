import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startReceiver, type Receiver } from '../../src/testing/receiver.js'
import { startProgram, type Program } from '../support/program.js'

const run = promisify(execFile)

/** Where the README's examples send their events. */
const EXAMPLE_URL = 'https://ems.city.example/hooks'

let readme: string
let folder: string
let receiver: Receiver
let worker: Program
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  readme = await readFile('README.md', 'utf8')
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
  const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))]
  const found = blocks.map(([, code = '']) => code).filter((code) => code.includes(part))
  expect(found).toHaveLength(1)
  return found.join('').replaceAll(EXAMPLE_URL, `${receiver.url}hooks`)
}

/** What the comments behind `console.log` say that it prints. */
function promisedOutput(code: string): string {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)/g)].map(([, line]) => `${line}\n`).join('')
}

/** How long something takes is another matter each time. */
function steady(output: string): string {
  return output.replaceAll(/\d+ ms/g, 'some ms').replaceAll(/\b(now|\d+ s ago)$/gm, 'lately')
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

test('the commands for a terminal print what the README shows', async () => {
  // Nothing is registered there yet.
  const ownEnv = { ...env, SYNC_DATA_DIR: join(folder, 'terminal'), SYNC_TASK_QUEUE: randomUUID() }
  await using ownWorker = await startProgram(['dist/cli.js', 'worker'], { ...ownEnv, SYNC_LOG_LEVEL: 'info' })
  await ownWorker.waitForOutput('worker started')
  const shown = block('console', 'external-sync emit').replace('https://dispatch.city.example/', receiver.url)
  for (const [command = '', ...lines] of shown
    .split(/^\$ /m)
    .slice(1)
    .map((part) => part.split('\n'))) {
    const args = ['-c', command.replace('npx external-sync', 'node dist/cli.js')]
    const { stdout } = await run('sh', args, { env: ownEnv })
    expect(steady(stdout)).toBe(steady(lines.join('\n')))
  }
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
