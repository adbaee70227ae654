import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { isSignedBy } from '../../examples/receivers/ed25519.js'
import { signatureOf } from '../../src/delivery/signing.js'
import { SyncTestEnvironment } from '../../src/testing/index.js'
import { blockWith, readBlocks, shownIn, type DocBlock } from '../support/doc-blocks.js'
import { isShown } from '../support/doc-console.js'
import { runDoc } from '../support/doc-runner.js'
import { isInstalled } from '../support/is-installed.js'
import { startProgram, type Program } from '../support/program.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const FILE = 'docs/receivers.md'
const run = promisify(execFile)

// The first build with Go compiles its standard library.
vi.setConfig({ testTimeout: 400_000 })

type Command = [program: string, ...args: string[]]

/** A sample, and how it is run. */
interface Sample {
  language: string
  file: string
  needs: string
  prepare: (path: string, folder: string) => Promise<Command>
}

/** Headers that are others each time. */
const VARYING_HEADERS: Readonly<Record<string, RegExp>> = {
  'webhook-timestamp': /^\d{10}$/,
  'webhook-signature': /^v1,[\w+/]{43}=$/,
}

const SAMPLES: Sample[] = [
  { language: 'ts', file: 'receiver.ts', needs: process.execPath, prepare: runByTsx },
  { language: 'python', file: 'receiver.py', needs: 'python3', prepare: runByPython },
  { language: 'go', file: 'receiver.go', needs: 'go', prepare: buildByGo },
]

let blocks: DocBlock[]
let environment: SyncTestEnvironment

beforeAll(async () => {
  blocks = await readBlocks(FILE)
  // A server of its own: other tests emit the events of the page too.
  environment = await SyncTestEnvironment.createLocal()
})
afterAll(() => environment.close())

describe.for(SAMPLES)('the sample $file', ({ language, file, needs, prepare }) => {
  const path = `examples/receivers/${file}`

  test('is the one in the page', async () => {
    await expectBlock(blockWith(blocks, language, 'listens on'), await readFile(path, 'utf8'))
  })

  test('takes what is signed and recent, and each event once', async ({ skip }) => {
    skip(!isInstalled(needs), `there is no ${needs}`)
    const { syncService } = environment
    const folder = await temporaryFolder()
    const command = await prepare(path, folder)
    const secret = newSecret()
    const env = { ...process.env, WEBHOOK_SECRET: secret, PORT: '0', INBOX: join(folder, 'inbox') }
    const sample = await startSample(command, env)
    await using program = sample.program
    const { url } = sample
    const name = `EMS-${language}`
    await syncService.registerEndpoint(name, {
      url,
      events: [`${language}.approved`],
      signingSecrets: [secret],
    })
    const type = `${language}.approved`

    expect(await syncService.testEndpoint(name)).toMatchObject({ outcome: 'delivered', status: 204 })
    const receipt = await syncService.emit(type, { id: 'SAFETY-7', place: 'Größe 🚑' }, { id: '7' })
    expect(await environment.waitForDeliveries(receipt)).toMatchObject([{ state: 'delivered', attempts: 1 }])
    await program.waitForOutput(`handled ${type} `)

    const body = JSON.stringify({ event: type, data: { id: 'SAFETY-7' } })
    expect(await send(url, secret, { id: '7', body })).toBe(204)
    expect(await send(url, secret, { id: '7', body: body.replace('approved', 'withdrawn') })).toBe(204)
    await program.waitForOutput(`handled ${language}.withdrawn`)
    expect(handled(program)).toEqual(['external-sync.ping', type, `${language}.withdrawn`])

    const now = Math.floor(Date.now() / 1_000)
    const refused = { id: 'forged', body }
    expect(await send(url, newSecret(), refused)).toBe(401)
    for (const timestamp of [String(now - 400), String(now + 400), '', 'now', '9'.repeat(5_000)])
      expect(await send(url, secret, { ...refused, timestamp })).toBe(401)
    expect(await send(url, secret, { ...refused, id: '' })).toBe(401)
    expect(await send(url, secret, { ...refused, sent: `${body} ` })).toBe(401)
    expect(await send(url, secret, { ...refused, signature: '' })).toBe(401)
    expect(await send(url, secret, { ...refused, signature: 'v2,x v1, v1,%%% v1a,AAAA' })).toBe(401)
    for (const unreadable of ['', 'no JSON', '[]', 'null', '"text"', '{}'])
      expect(await send(url, secret, { id: 'unreadable', body: unreadable })).toBe(400)
    const large = { id: 'large', body: `"${'x'.repeat(2 * 1024 * 1024)}"` }
    // Which of both a client sees that still sends is its own matter.
    expect(await send(url, secret, large).catch(() => 'cut off')).toBeOneOf([413, 'cut off'])

    // While one secret replaces another, whoever knows either of them accepts.
    await syncService.rotateSigningSecret(name)
    expect(await syncService.testEndpoint(name)).toMatchObject({ outcome: 'delivered' })
    await syncService.rotateSigningSecret(name)
    expect(await syncService.testEndpoint(name)).toMatchObject({ outcome: 'misconfigured', status: 401 })
    await vi.waitFor(() => expect(handled(program)).toHaveLength(4))

    await program.end('SIGKILL')
    const again = await startSample(command, env)
    await using restarted = again.program
    expect(await send(again.url, secret, { id: '7', body })).toBe(204)
    expect(await send(again.url, secret, { id: '8', body })).toBe(204)
    await restarted.waitForOutput('handled')
    expect(handled(restarted)).toEqual([type])
  })

  test('prints what the page shows, and does again what an earlier run had no time for', async ({ skip }) => {
    skip(!isInstalled(needs), `there is no ${needs}`)
    const folder = await temporaryFolder()
    const command = await prepare(path, folder)
    const secret = newSecret()
    const inbox = join(folder, 'inbox')
    const env = { ...process.env, WEBHOOK_SECRET: secret, PORT: '0', INBOX: inbox }
    const sample = await startSample(command, env)
    await using program = sample.program
    const body = '{"event":"policy.approved","data":{"id":"SAFETY-7"}}'
    await send(sample.url, secret, { id: 'SAFETY-7-v1', body })
    await program.waitForOutput('handled')
    await vi.waitFor(() => run('sh', ['-c', `ls ${inbox}/*.handled`]))

    const block = blockWith(blocks, 'console', file)
    const [shown = '', ...lines] = block.code.split('\n')
    const output = program.output
    if (!isShown(output, lines.join('\n'))) await expectBlock(block, `${shown}\n${output}`)

    await program.end('SIGKILL')
    await run('sh', ['-c', `rm ${inbox}/*.handled`])
    const again = await startSample(command, env)
    await using restarted = again.program
    expect(handled(restarted)).toEqual(['policy.approved'])
  })
})

test('the receiver of an asymmetric key verifies as the page says', async () => {
  await expectBlock(
    blockWith(blocks, 'ts', 'isSignedBy'),
    await readFile('examples/receivers/ed25519.ts', 'utf8'),
  )
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  const signingSecrets = [`whsk_${randomBytes(32).toString('base64')}`]
  await syncService.registerEndpoint('Asymmetric', {
    url: receiver.url,
    events: ['no.event'],
    signingSecrets,
  })
  const rotated = await syncService.rotateSigningSecret('Asymmetric')
  const publicKey = 'publicKey' in rotated ? rotated.publicKey : ''
  await syncService.testEndpoint('Asymmetric')

  const [request] = receiver.requests
  const text = request?.text ?? ''
  const [id = '', timestamp = '', signatures = ''] = ['id', 'timestamp', 'signature'].map((part) =>
    String(request?.headers[`webhook-${part}`]),
  )
  expect(signatures.split(' ')).toHaveLength(2)
  expect(isSignedBy(publicKey, { id, timestamp, signatures }, text)).toBe(true)
  expect(isSignedBy(publicKey, { id, timestamp, signatures }, `${text} `)).toBe(false)
  expect(isSignedBy(publicKey, { id, timestamp, signatures: 'v1,AAAA' }, text)).toBe(false)
})

test('a request in each format is as the page shows it', async () => {
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  const formats = ['envelope', 'cloudevents-structured', 'cloudevents-binary', 'raw'] as const
  for (const format of formats)
    await syncService.registerEndpoint(format, {
      url: `${receiver.url}${format}`,
      format,
      events: ['policy.approved'],
    })
  await syncService.registerEndpoint('Signed', {
    url: `${receiver.url}hooks`,
    events: ['policy.approved'],
    authToken: 'Bearer abc123',
    signingSecrets: [newSecret()],
  })
  const event = { id: 'SAFETY-7-v1', key: 'policy/SAFETY-7', time: '2026-11-25T10:00:00Z' }
  await syncService.emit('policy.approved', { id: 'SAFETY-7' }, event)
  const requests = await receiver.waitForRequests(5)

  for (const block of blocks.filter(({ language }) => language === 'http')) {
    const [head = '', body = ''] = block.code.trim().split('\n\n')
    const [requestLine = '', ...headers] = head.split('\n')
    const request = requests.find(({ method, path }) => requestLine === `${method} ${path} HTTP/1.1`)
    expect(request?.text).toBe(body)
    const differing = headers.filter((header) => {
      const [name = '', value] = header.split(': ')
      const given = String(request?.headers[name])
      return VARYING_HEADERS[name]?.test(given) !== true && given !== value
    })
    expect(differing).toEqual([])
  }
})

test('who tries a receiver sees what the page shows', async ({ skip }) => {
  for (const command of ['bash', 'openssl']) skip(!isInstalled(command), `there is no ${command}`)
  const inbox = join(await temporaryFolder(), 'inbox')
  let program: Program | undefined
  onTestFinished(() => void program?.end('SIGKILL'))
  const standsFor = new Map<string, string>()
  await runDoc(FILE, {
    standsFor,
    variables: { TEMPORAL_ADDRESS: inject('temporalAddress'), SYNC_ALLOW_NETWORKS: '127.0.0.0/8' },
    runs: ({ code }) => code.includes('openssl'),
    before: {
      'secret.txt': async (shell) => {
        // The receiver has to know what the page makes a moment later.
        const WEBHOOK_SECRET = newSecret()
        await shell.run(`openssl() { echo ${WEBHOOK_SECRET.slice('whsec_'.length)}; }`)
        const env = { ...process.env, WEBHOOK_SECRET, PORT: '0', INBOX: inbox }
        const sample = await startSample(await runByTsx('examples/receivers/receiver.ts'), env)
        program = sample.program
        standsFor.set('https://ems.city.example/hooks', sample.url)
      },
      'endpoints update': (shell) => shell.run('unset -f openssl'),
    },
  })
})

interface Sent {
  id: string
  body: string
  timestamp?: string
  /** @default that of the body under the secret */
  signature?: string
  /** @default the body that is signed */
  sent?: string
}

/** Sends a request as external-sync would, and returns the status. */
async function send(url: string, secret: string, { id, body, sent = body, ...given }: Sent): Promise<number> {
  const { timestamp = String(Math.floor(Date.now() / 1_000)) } = given
  const { signature = signatureOf([secret], { id, timestamp, body }) } = given
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
  const { status } = await fetch(url, { method: 'POST', headers, body: sent })
  return status
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

async function startSample(
  [command, ...args]: Command,
  env: NodeJS.ProcessEnv,
): Promise<{ program: Program; url: string }> {
  const program = await startProgram(args, env, undefined, command)
  await program.waitForOutput('listens on ')
  const [url = ''] = await vi.waitFor(
    () => /http:\S+(?=\n)/.exec(program.output) ?? Promise.reject(new Error('no URL')),
  )
  return { program, url }
}

/** The types of what a sample has handled. */
function handled({ output }: Program): string[] {
  return [...output.matchAll(/^handled (\S+)/gm)].map(([, type = '']) => type)
}

async function runByTsx(path: string): Promise<Command> {
  return [process.execPath, '--import', 'tsx', path]
}

async function runByPython(path: string): Promise<Command> {
  return ['python3', path]
}

async function buildByGo(path: string, folder: string): Promise<Command> {
  const program = join(folder, 'receiver')
  await run('go', ['build', '-o', program, path])
  return [program]
}

async function expectBlock(block: DocBlock, code: string): Promise<void> {
  expect(await shownIn(block, code)).toBe(code)
}
