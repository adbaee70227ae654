import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from '../support/free-port.js'
import { openSender, post } from './fixtures/deliveries.js'
import { OK, startTcpServer } from './fixtures/tcp-server.js'

const STATUS_200 = { kind: 'response', status: 200 }

test.each([
  ['a body that is shorter than promised', 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok'],
  ['a broken chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok'],
  ['chunks without an end', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n'],
  ['a body that ends with the connection', 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok'],
  ['a body that is longer than promised', `${OK}ok`],
  ['more than one response', OK + OK],
  ['informational responses first', `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok'],
  ['no reason phrase', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n'],
])('the status decides, with %s', async (_title, bytes) => {
  const server = await startTcpServer((socket) => socket.end(bytes))

  expect(await post(openSender(), server.url)).toEqual(STATUS_200)
})

test('a response that breaks off by a reset after its status is a response', async () => {
  const server = await startTcpServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok', () =>
      setImmediate(() => socket.resetAndDestroy()),
    )
  })

  expect(await post(openSender(), server.url)).toEqual(STATUS_200)
})

test('of an endless response about 64 KiB are read, then its connection is closed', async () => {
  const server = await startTcpServer((socket) => {
    socket.write('HTTP/1.1 503 Busy\r\nretry-after: 7\r\ntransfer-encoding: chunked\r\n\r\n')
    streamForever(socket, `1000\r\n${'x'.repeat(4096)}\r\n`)
  })

  expect(await post(openSender(), server.url)).toEqual({ kind: 'response', status: 503, retryAfter: '7' })
  const [socket] = server.sockets
  await closed(socket)
  // What was read, and what the buffers of two sockets took besides.
  expect(socket?.bytesWritten).toBeLessThan(16 * 1024 * 1024)
})

test('a response of 64 KiB is read whole, and its connection used again', async () => {
  const body = 'x'.repeat(64 * 1024)
  const server = await startTcpServer((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  })
  const sender = openSender()

  for (let request = 0; request < 10; request++) expect(await post(sender, server.url)).toEqual(STATUS_200)

  expect(server.sockets.length).toBeLessThanOrEqual(2)
})

test('a response that announces more than 64 KiB is not read', async () => {
  const server = await startTcpServer((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\nx`),
  )

  expect(await post(openSender(), server.url)).toEqual(STATUS_200)
  await closed(server.sockets[0])
})

test('a response with thousands of headers is a response', async () => {
  const headers = Array.from({ length: 3_000 }, (_, index) => `x-${index}: ${index}\r\n`).join('')
  const server = await startTcpServer((socket) => {
    socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 0\r\n${headers}\r\n`)
  })

  expect(await post(openSender(), server.url)).toEqual(STATUS_200)
})

test('a response whose headers never end is a failure as soon as they pass 64 KiB', async () => {
  const server = await startTcpServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    streamForever(socket, `x-header: ${'x'.repeat(1_000)}\r\n`)
  })

  expect(await post(openSender(), server.url)).toEqual({
    kind: 'failure',
    code: 'UND_ERR_HEADERS_OVERFLOW',
    message: 'the response has too many headers',
  })
})

test.each([
  ['text', 'hello world\r\n\r\n'],
  ['SMTP', '220 mail.city.example ESMTP\r\n'],
  ['zeros', '\0'.repeat(1_000)],
  ['a status that is no number', 'HTTP/1.1 2x0 OK\r\n\r\n'],
])('an answer that is not HTTP is a failure: %s', async (_title, bytes) => {
  const server = await startTcpServer((socket) => socket.end(bytes))

  expect(await post(openSender(), server.url)).toEqual({
    kind: 'failure',
    code: 'HTTPParserError',
    message: 'the response is not HTTP',
  })
})

test.each<[title: string, end: (socket: Socket) => void, code: string]>([
  ['closes', (socket) => socket.end(), 'UND_ERR_SOCKET'],
  ['resets', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
  ['closes amid the headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nx-he'), 'UND_ERR_SOCKET'],
  [
    'changes the protocol',
    (socket) => socket.write('HTTP/1.1 101 Sw\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    'UND_ERR_SOCKET',
  ],
])('a server that %s before it answers is a failure, after one request', async (_title, end, code) => {
  const server = await startTcpServer(end)

  expect(await post(openSender(), server.url)).toMatchObject({ kind: 'failure', code })
  expect(server.sockets).toHaveLength(1)
})

test('a port where nothing listens and a name that does not exist are failures', async () => {
  const sender = openSender()

  expect(await post(sender, `http://127.0.0.1:${await freePort()}/`)).toEqual({
    kind: 'failure',
    code: 'ECONNREFUSED',
    message: 'the connection was refused',
  })
  expect(await post(sender, `http://localhost:${await freePort()}/`)).toMatchObject({ code: 'ECONNREFUSED' })
  expect(await post(sender, 'http://nobody.invalid/')).toMatchObject({
    kind: 'failure',
    code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
  })
})

function streamForever(socket: Socket, piece: string): void {
  const fill = (): void => {
    while (!socket.destroyed && socket.write(piece));
  }
  socket.on('drain', fill)
  fill()
}

async function closed(socket: Socket | undefined): Promise<void> {
  if (socket === undefined) throw new Error('expected a connection')
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}
