import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { classify } from '../../src/delivery/classify.js'
import { DEFAULT_ATTEMPT_LIMITS } from '../../src/domain/attempt-limits.js'
import {
  attempt,
  endpointWith,
  openReceiver,
  openSender,
  openTcpServer,
  policyApproved,
  withResolvers,
} from '../support/attempts.js'

test('an endpoint’s own time limit ends an attempt that gets no answer', async () => {
  const port = await openTcpServer(() => undefined)
  const startedAt = performance.now()
  const result = await attempt(openSender(), { url: `http://127.0.0.1:${port}/`, attemptTimeoutMs: 200 })

  expect(result).toEqual({ kind: 'failure', code: 'ATTEMPT_TIMEOUT', message: 'no response within 200 ms' })
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('an endpoint’s own time limit may be longer than the others have', async () => {
  const receiver = await openReceiver((_request, response) => void setTimeout(() => response.end(), 2_500))
  const limits = { ...DEFAULT_ATTEMPT_LIMITS, totalTimeoutMs: 500, headersTimeoutMs: 500 }
  const sender = openSender({ limits })

  expect(await attempt(sender, { url: receiver.url })).toMatchObject({ kind: 'failure' })
  expect(await attempt(sender, { url: receiver.url, attemptTimeoutMs: 10_000 })).toMatchObject({
    status: 200,
  })
})

test('the first byte is timed', async () => {
  const receiver = await openReceiver((_request, response) => void setTimeout(() => response.end(), 100))
  const result = await attempt(openSender(), { url: receiver.url })

  expect(result).toMatchObject({ status: 200 })
  const firstByteMs = 'timing' in result ? result.timing?.firstByteMs : undefined
  expect(firstByteMs).toBeGreaterThanOrEqual(95)
  expect(firstByteMs).toBeLessThan(2_000)
})

test.each([200, 503])('a body that drips does not hold the attempt: HTTP %i', async (status) => {
  const receiver = await openReceiver((_request, response) => {
    response.writeHead(status)
    const drip = setInterval(() => response.write('x'), 50)
    response.on('close', () => clearInterval(drip))
  })
  const startedAt = performance.now()
  const result = await attempt(openSender(), { url: receiver.url })

  expect(result).toMatchObject({ kind: 'response', status })
  expect(String('excerpt' in result && result.excerpt)).toMatch(status === 503 ? /^x+$/ : /^false$/)
  expect(performance.now() - startedAt).toBeLessThan(6_000)
})

test.each([200, 500])('of an endless body 64 KiB are read: HTTP %i', async (status) => {
  let written = 0
  const { promise: isClosed, resolve: closed } = withResolvers()
  const receiver = await openReceiver((_request, response: ServerResponse) => {
    const piece = 'x'.repeat(16_384)
    const fill = (): void => {
      while (!response.destroyed && response.write(piece)) written += piece.length
    }
    response.writeHead(status).on('drain', fill).on('close', closed)
    fill()
  })

  expect(await attempt(openSender(), { url: receiver.url })).toMatchObject({ kind: 'response', status })
  await isClosed
  // What was read, and what the buffers of two sockets took besides.
  expect(written).toBeLessThan(16 * 1024 * 1024)
})

test('five thousand headers are a clear failure, which is tried again', async () => {
  const port = await openTcpServer((socket: Socket) => {
    const headers = Array.from({ length: 5_000 }, (_, index) => `x-header-${index}: ${index}\r\n`).join('')
    socket.on('data', () => socket.end(`HTTP/1.1 200 OK\r\n${headers}\r\n`))
  })
  const result = await attempt(openSender(), { url: `http://127.0.0.1:${port}/` })

  expect(result).toEqual({
    kind: 'failure',
    code: 'UND_ERR_HEADERS_OVERFLOW',
    message: 'the response has too many headers',
  })
  expect(classify(result)).toEqual({ kind: 'retry' })
})

test('two thousand headers are none', async () => {
  const port = await openTcpServer((socket: Socket) => {
    const headers = Array.from({ length: 2_000 }, (_, index) => `x-header-${index}: ${index}\r\n`).join('')
    socket.on('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 0\r\n${headers}\r\n`))
  })

  expect(await attempt(openSender(), { url: `http://127.0.0.1:${port}/` })).toMatchObject({ status: 200 })
})

test.each([
  ['closes', (socket: Socket) => void socket.end(), 'UND_ERR_SOCKET'],
  ['resets', (socket: Socket) => void socket.resetAndDestroy(), 'ECONNRESET'],
])(
  'a connection that %s after the request’s body is a failure, which is tried again',
  async (_title, end, code) => {
    const port = await openTcpServer((socket) => {
      socket.on('data', (bytes) => bytes.toString().endsWith('}}') && end(socket))
    })
    const result = await attempt(openSender(), { url: `http://127.0.0.1:${port}/` })

    expect(result).toMatchObject({ kind: 'failure', code })
    expect(classify(result)).toEqual({ kind: 'retry' })
  },
)

test('an attempt that is stopped rejects with the signal’s reason, wherever it is', async () => {
  const reason = new Error('the worker shuts down')
  const port = await openTcpServer(() => undefined)
  const url = `http://127.0.0.1:${port}/`
  const sender = openSender()
  const auth = { type: 'oauth2', tokenUrl: url, clientId: 'c', clientSecret: 's' } as const
  const endless = { path: '($f := function($x){ $f($x) }; $f(1))' }
  for (const settings of [{ url }, { url, auth }, { url, connector: endless }]) {
    const stop = new AbortController()
    const attempted = sender.send(endpointWith(settings), policyApproved, stop.signal)
    setTimeout(() => stop.abort(reason), 50)
    await expect(attempted).rejects.toBe(reason)
  }
})
