import { once } from 'node:events'
import { setInterval as every } from 'node:timers/promises'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { openSender, post } from './fixtures/deliveries.js'
import { decisive } from './fixtures/decisive.js'
import { endpointAt, event } from './fixtures/event.js'
import { startTcpServer } from './fixtures/tcp-server.js'

/** A limit that never ends a test's attempt. */
const NEVER_MS = 60_000
const SILENT = (): void => undefined

// Well below undici's own limit of 10 s.
test('a TLS handshake that never ends is a connection that never stands', { timeout: 5_000 }, async () => {
  const server = await startTcpServer(SILENT)
  const sender = openSender({ connectTimeoutMs: 100, headersTimeoutMs: NEVER_MS, totalTimeoutMs: NEVER_MS })

  expect(await post(sender, `https://127.0.0.1:${server.port}/`)).toEqual({
    kind: 'failure',
    code: 'UND_ERR_CONNECT_TIMEOUT',
    message: 'no connection within the time limit',
  })
})

test('a server that takes the request and says nothing is a failure', async () => {
  const server = await startTcpServer(SILENT)
  const sender = openSender({ headersTimeoutMs: 100, totalTimeoutMs: NEVER_MS })

  expect(await post(sender, server.url)).toEqual({
    kind: 'failure',
    code: 'UND_ERR_HEADERS_TIMEOUT',
    message: 'no response within the time limit',
  })
})

test('a body that stops midway does not hold the attempt: the status decides', async () => {
  const server = await startTcpServer((socket) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok'),
  )
  const sender = openSender({ bodyTimeoutMs: 100, totalTimeoutMs: NEVER_MS })

  expect(await post(sender, server.url)).toEqual({ kind: 'response', status: 200 })
  await closed(server.sockets[0])
})

test('a body that drips for ever ends with the attempt’s time: the status decides', async () => {
  const server = await startTcpServer((socket) => {
    socket.write('HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 9999\r\n\r\n')
    void drip(socket, 'x')
  })
  const sender = openSender({ bodyTimeoutMs: NEVER_MS, totalTimeoutMs: 300 })

  expect(await post(sender, server.url)).toEqual({ kind: 'response', status: 503, retryAfter: '7' })
  await closed(server.sockets[0])
})

test.each<[title: string, scheme: string, answer: (socket: Socket) => void]>([
  ['the handshake never ends', 'https', SILENT],
  ['the server says nothing', 'http', SILENT],
  [
    'headers drip for ever',
    'http',
    (socket) => void drip(socket.write('HTTP/1.1 200 OK\r\n') && socket, 'x: y\r\n'),
  ],
  ['informational responses never end', 'http', (socket) => void drip(socket, 'HTTP/1.1 103 Early\r\n\r\n')],
])('the whole attempt has a limit of its own when %s', async (_title, scheme, answer) => {
  const server = await startTcpServer(answer)
  const sender = openSender({ connectTimeoutMs: NEVER_MS, headersTimeoutMs: NEVER_MS, totalTimeoutMs: 300 })

  expect(await post(sender, `${scheme}://127.0.0.1:${server.port}/`)).toEqual({
    kind: 'failure',
    code: 'ATTEMPT_TIMEOUT',
    message: 'no response within 300 ms',
  })
})

test.each([
  ['it waits for a connection', 'https'],
  ['it waits for the response', 'http'],
])('an attempt that is stopped while %s rejects at once with the reason', async (_title, scheme) => {
  const server = await startTcpServer(SILENT)
  const sender = openSender({
    connectTimeoutMs: NEVER_MS,
    headersTimeoutMs: NEVER_MS,
    totalTimeoutMs: NEVER_MS,
  })
  const stop = new AbortController()
  const reason = new Error('the worker shuts down')
  const connected = server.nextConnection()

  const attempt = sender.send(endpointAt(`${scheme}://127.0.0.1:${server.port}/`), event, stop.signal)
  await once(await connected, 'readable')
  stop.abort(reason)

  await expect(attempt).rejects.toBe(reason)
})

test('an attempt that is stopped before it begins sends nothing', async () => {
  const server = await startTcpServer(SILENT)
  const reason = new Error('the worker shuts down')

  const attempt = openSender().send(endpointAt(server.url), event, AbortSignal.abort(reason))

  await expect(attempt).rejects.toBe(reason)
  expect(server.sockets).toHaveLength(0)
})

test('an attempt that is stopped after the status is known comes to that status', async () => {
  const server = await startTcpServer(
    (socket) => void drip(socket, `HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n`),
  )
  const stop = new AbortController()
  const sender = openSender()

  const attempt = sender.send(endpointAt(server.url), event, stop.signal)
  const socket = await server.nextConnection()
  while (socket.bytesWritten < 100) await once(socket, 'drip')
  stop.abort(new Error('the worker shuts down'))

  expect(decisive(await attempt)).toEqual({ kind: 'response', status: 200 })
})

test('closing the sender ends what is under way', async () => {
  const server = await startTcpServer(SILENT)
  const sender = openSender()
  const attempt = post(sender, server.url)
  await once(await server.nextConnection(), 'readable')

  await sender.close()

  expect(await attempt).toMatchObject({ kind: 'failure', code: 'UND_ERR_DESTROYED' })
})

/** Writes the piece again and again until the connection closes, and says so with the event `drip`. */
async function drip(socket: Socket | false, piece: string): Promise<void> {
  if (socket === false) return
  for await (const _ of every(20)) {
    if (socket.destroyed) return
    socket.write(piece, () => socket.emit('drip'))
  }
}

async function closed(socket: Socket | undefined): Promise<void> {
  if (socket === undefined) throw new Error('expected a connection')
  if (!socket.closed) await once(socket, 'close')
}
