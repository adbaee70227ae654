import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { startCodecServer, type CodecServer } from '../src/codec-server.js'
import { formatKeys, generateKey, type KeyRing } from '../src/encryption/key-ring.js'
import type { RemotePayloads } from '../src/temporal/remote-payloads.js'
import { keyRing } from './support/encryption.js'
import { openEnvironment } from './support/environment.js'
import { servedUrl, startProgram } from './support/program.js'
import { recordingLogger } from './support/recording-logger.js'
import { temporaryFolder } from './support/temporary-folder.js'

const run = promisify(execFile)

const TOKEN = `token-${randomUUID()}`
const UI = 'http://127.0.0.1:8233'
const BEARER = { authorization: `Bearer ${TOKEN}` }
const PLAIN = payload('json/plain', '{"content":"Nobody enters."}')

vi.setConfig({ testTimeout: 60_000 })

describe('the Temporal CLI', () => {
  test('shows an event’s data with the codec endpoint, and without it does not', async () => {
    const marker = `data-${randomUUID()}`
    const keys = keyRing()
    const { server } = await openCodec({ keys })
    const environment = await openEnvironment({ encryptionKeys: keys, encryptPayloads: true })
    const { url } = await environment.startReceiver()
    await environment.syncService.registerEndpoint('EMS', { url })
    const receipt = await environment.syncService.emit('policy.approved', { content: marker })
    await environment.waitForDeliveries(receipt)
    const show = (...args: string[]) =>
      temporal('workflow', 'show', '--workflow-id', receipt.workflowId, '-o', 'json', ...args)
    const auth = ['--codec-auth', BEARER.authorization]

    expect(await show()).not.toContain(marker)
    expect(await show('--codec-endpoint', server.url, ...auth)).toContain(marker)
    expect(await show('--codec-endpoint', `${server.url}/{namespace}`, ...auth)).toContain(marker)
    const basic = `Basic ${Buffer.from(`operator:${TOKEN}`).toString('base64')}`
    expect(await show('--codec-endpoint', server.url, '--codec-auth', basic)).toContain(marker)
    // The CLI tries until its own deadline.
    const wrong = show(
      '--codec-endpoint',
      server.url,
      '--codec-auth',
      'Bearer wrong',
      '--command-timeout',
      '2s',
    )
    await expect(wrong).rejects.toMatchObject({ stdout: expect.not.stringContaining(marker) })
  })

  test('starts a workflow whose input the endpoint has encrypted', async () => {
    const keys = keyRing()
    const { server } = await openCodec({ keys })
    const workflowId = `codec-${randomUUID()}`
    const codec = ['--codec-endpoint', server.url, '--codec-auth', BEARER.authorization]
    const marker = `input-${randomUUID()}`
    const where = ['--task-queue', workflowId, '--workflow-id', workflowId]

    await temporal('workflow', 'start', '--type', 'nobody', ...where, '--input', `"${marker}"`, ...codec)

    const show = ['workflow', 'show', '--workflow-id', workflowId, '-o', 'json']
    const raw = await temporal(...show)
    expect(raw).toContain(Buffer.from('binary/encrypted').toString('base64'))
    expect(raw).not.toContain(marker)
    expect(await temporal(...show, ...codec)).toContain(marker)
    await temporal('workflow', 'terminate', '--workflow-id', workflowId)
  })
})

describe('whoever does not know the token', () => {
  test.for<[what: string, headers: Record<string, string>]>([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer wrong' }],
    ['a part of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['the token and more', { authorization: `Bearer ${TOKEN}1` }],
    ['the token alone', { authorization: TOKEN }],
    ['another scheme', { authorization: `Digest ${TOKEN}` }],
    ['a wrong password', { authorization: `Basic ${Buffer.from('operator:wrong').toString('base64')}` }],
    ['the token as user', { authorization: `Basic ${Buffer.from(`${TOKEN}:`).toString('base64')}` }],
  ])('is refused with %s, and asked for a password', async ([, headers]) => {
    const { server } = await openCodec()

    for (const [method, path] of [
      ['POST', '/decode'],
      ['POST', '/encode'],
      ['GET', '/'],
      ['GET', '/nothing'],
    ] as const) {
      const response = await fetch(`${server.url}${path}`, {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{"payloads":[]}' }),
      })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe(
        'Basic realm="external-sync codec", charset="UTF-8"',
      )
      expect(response.headers.get('content-type')).toContain('application/problem+json')
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: 'expected SYNC_CODEC_TOKEN as bearer token or as password',
      })
    }
  })

  test('gets in with the token as the password of any user', async () => {
    const { server } = await openCodec()
    const authorization = `Basic ${Buffer.from(`any:${TOKEN}`).toString('base64')}`

    const response = await fetch(server.url, { headers: { authorization } })

    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('signed in')])
  })
})

describe('a page', () => {
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,x-namespace,authorization',
  }

  test('of the Temporal UI may call it with credentials, and asks first without them', async () => {
    const { server } = await openCodec()

    const asked = await fetch(`${server.url}/decode`, {
      method: 'OPTIONS',
      headers: { ...preflight, origin: UI },
    })
    expect(asked.status).toBe(204)
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': UI,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type,x-namespace,authorization',
    })
    for (const [headers, status] of [
      [BEARER, 200],
      [{}, 401],
    ] as const) {
      const response = await post(server, '/decode', { payloads: [PLAIN] }, { ...headers, origin: UI })
      expect(response.status).toBe(status)
      expect(response.headers.get('access-control-allow-origin')).toBe(UI)
      expect(response.headers.get('access-control-allow-credentials')).toBe('true')
      expect(response.headers.get('vary')).toContain('Origin')
    }
  })

  test.for(['http://127.0.0.1:9999', 'https://evil.example', 'null', `${UI}.evil.example`])(
    'of %s may not',
    async (origin) => {
      const { server } = await openCodec()

      const asked = await fetch(`${server.url}/decode`, {
        method: 'OPTIONS',
        headers: { ...preflight, origin },
      })

      expect(asked.headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  test('cannot get around that with a body that needs no permission', async () => {
    const { server } = await openCodec()

    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const response = await fetch(`${server.url}/decode`, {
        method: 'POST',
        headers: { ...BEARER, 'content-type': type },
        body: '{"payloads":[]}',
      })
      expect(response.status).toBe(415)
    }
  })
})

test('payloads go there and back in order, plain ones among them', async () => {
  const { server, lines } = await openCodec()
  const payloads = [PLAIN, payload('json/plain', '2'), { metadata: {}, data: '' }]

  const encoded = (await (await post(server, '/encode', { payloads })).json()) as RemotePayloads
  const decoded = await (await post(server, '/decode', { payloads: [...encoded.payloads, PLAIN] })).json()

  expect(encoded.payloads.map(({ metadata }) => metadata['encoding'])).toEqual(
    payloads.map(() => Buffer.from('binary/encrypted').toString('base64')),
  )
  expect(decoded).toEqual({ payloads: [...payloads, PLAIN] })
  expect(lines.join('')).not.toContain('Nobody enters')
  expect(lines.join('')).not.toContain(TOKEN)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ operation: 'encode', payloads: 3, namespace: 'default' })
})

test('a payload as large as a message of Temporal is taken, a larger body refused', async () => {
  const { server } = await openCodec()
  const large = { metadata: {}, data: Buffer.alloc(4 * 1024 * 1024).toString('base64') }

  const response = await post(server, '/encode', { payloads: [large] })
  expect(response.status).toBe(200)
  expect(await (await post(server, '/decode', await response.json())).json()).toEqual({ payloads: [large] })
  expect((await post(server, '/encode', { payloads: [large, large] })).status).toBe(413)
})

test('what cannot be decrypted is a problem with its code, and says which key', async () => {
  const keys = keyRing()
  const { server } = await openCodec({ keys })
  const other = await openCodec()
  const encoded = (await (await post(server, '/encode', { payloads: [PLAIN] })).json()) as RemotePayloads
  const [encrypted] = encoded.payloads
  const changed = Buffer.from(encrypted?.data ?? '', 'base64')
  changed.writeUInt8(changed.readUInt8(40) ^ 1, 40)

  const missing = await post(other.server, '/decode', encoded)
  const tampered = await post(server, '/decode', {
    payloads: [{ ...encrypted, data: changed.toString('base64') }],
  })

  expect([missing.status, tampered.status]).toEqual([400, 400])
  expect(missing.headers.get('content-type')).toContain('application/problem+json')
  expect(await missing.json()).toMatchObject({
    code: 'ENCRYPTION_KEY_MISSING',
    detail: expect.stringContaining(keys.currentId),
  })
  expect(await tampered.json()).toMatchObject({ code: 'DECRYPTION_FAILED', status: 400 })
})

test.for<[what: string, body: string]>([
  ['no JSON', 'sEcReT'],
  ['no payloads', '{"sEcReT":1}'],
  ['payloads that are no array', '{"payloads":"sEcReT"}'],
  ['data that are no base64', '{"payloads":[{"data":"sEcReT!"}]}'],
  ['metadata that are no base64', '{"payloads":[{"metadata":{"encoding":"sEcReT!"}}]}'],
])('a request with %s is a problem that shows nothing of it', async ([, body]) => {
  const { server, lines } = await openCodec()

  const response = await fetch(`${server.url}/decode`, {
    method: 'POST',
    headers: { ...BEARER, 'content-type': 'application/json' },
    body,
  })

  expect(response.status).toBe(400)
  const text = await response.text()
  expect(JSON.parse(text)).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400 })
  expect(text + lines.join('')).not.toContain('sEcReT')
})

test('other paths and methods are a problem', async () => {
  const { server } = await openCodec()

  for (const [method, path] of [
    ['GET', '/decode'],
    ['POST', '/'],
    ['POST', '/download'],
  ] as const) {
    const response = await fetch(`${server.url}${path}`, { method, headers: BEARER })
    expect(await response.json()).toMatchObject({ status: 404, detail: 'expected POST /decode or /encode' })
  }
})

test('a request that is never sent to its end does not keep the endpoint from stopping', async () => {
  const { server } = await openCodec()
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  socket.write(`POST /decode HTTP/1.1\r\nhost: x\r\nauthorization: ${BEARER.authorization}\r\n`)
  socket.write('content-type: application/json\r\ncontent-length: 100\r\n\r\n{')
  await expect.poll(() => fetch(server.url, { headers: BEARER }).then(({ status }) => status)).toBe(200)

  await server.stop()

  await expect(fetch(server.url)).rejects.toThrow('fetch failed')
})

describe('the command', () => {
  test('says where it is and how to use it, and stops at SIGTERM', async () => {
    const env = { ...process.env, SYNC_DATA_DIR: await temporaryFolder(), SYNC_CODEC_TOKEN: TOKEN }
    const keys = { SYNC_ENCRYPTION_KEYS: formatKeys([generateKey()]) }
    await using program = await startProgram(['dist/cli.js', 'codec', '--port', '0'], { ...env, ...keys })
    await program.waitForOutput('Stop it with Ctrl-C')
    const url = servedUrl(program)

    expect(program.output).toContain(`--codec-endpoint ${url} --codec-auth "Bearer $SYNC_CODEC_TOKEN"`)
    expect(program.output).toContain('at http://127.0.0.1:8233, http://localhost:8233:')
    expect((await fetch(url, { headers: BEARER })).status).toBe(200)
    expect(await program.end('SIGTERM')).toMatchObject({ code: 0 })
    expect(program.output).not.toContain(TOKEN)
  })

  test('refuses to start without a token', async () => {
    const env = { ...process.env, SYNC_DATA_DIR: await temporaryFolder() }
    await using program = await startProgram(['dist/cli.js', 'codec', '--port', '0'], env)

    expect(await program.exited).toMatchObject({ code: 1 })
    expect(program.output).toMatch(
      /^INVALID_INPUT environment: SYNC_CODEC_TOKEN is not accepted: expected 16 to/,
    )
  })
})

async function openCodec({ keys = keyRing() }: { keys?: KeyRing } = {}) {
  const { logger, lines } = recordingLogger()
  const server = await startCodecServer({
    keys,
    token: TOKEN,
    origins: [UI],
    ip: '127.0.0.1',
    port: 0,
    logger,
  })
  onTestFinished(() => server.stop())
  return { server, lines }
}

function post(
  { url }: CodecServer,
  path: string,
  body: unknown,
  headers: Record<string, string> = BEARER,
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
    body: JSON.stringify(body),
  })
}

function payload(encoding: string, data: string) {
  return { metadata: { encoding: base64(encoding) }, data: base64(data) }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

async function temporal(...args: string[]): Promise<string> {
  const address = ['--address', inject('temporalAddress')]
  const { stdout } = await run(inject('temporalCliPath'), [...args, ...address], {
    maxBuffer: 16 * 1024 * 1024,
  })
  // The CLI prints a payload's data in base64.
  return stdout.replaceAll(/(?<="data": ")[^"]+/g, (data) => Buffer.from(data, 'base64').toString())
}
