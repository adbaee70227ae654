import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startReceiver, type Receiver } from '../../src/testing/receiver.js'
import { packageVersion } from '../../src/package-version.js'
import { openSender, post } from './fixtures/deliveries.js'
import { endpointAt, event } from './fixtures/event.js'
import { OK, startTcpServer } from './fixtures/tcp-server.js'

test('the request is a POST of the envelope with the identity headers and the token, and nothing else', async () => {
  let received = ''
  const server = await startTcpServer((socket, bytes) => {
    received += bytes.toString('latin1')
    if (received.endsWith('}}')) socket.write(OK)
  })
  const before = Math.floor(Date.now() / 1_000)
  await post(openSender(), `${server.url}hook`, 'Bearer abc123')

  const [head = '', body] = received.split('\r\n\r\n')
  const timestamp = Number(/webhook-timestamp: (\d+)/.exec(head)?.[1])
  expect(timestamp).toBeGreaterThanOrEqual(before)
  expect(timestamp).toBeLessThanOrEqual(Math.floor(Date.now() / 1_000))
  expect(body).toBe('{"event":"policy.approved","data":{"id":"SAFETY-7","content":"No entry"}}')
  expect(head.split('\r\n').toSorted()).toEqual(
    [
      'POST /hook HTTP/1.1',
      `host: 127.0.0.1:${server.port}`,
      'connection: keep-alive',
      'content-type: application/json',
      `user-agent: external-sync/${packageVersion}`,
      `webhook-id: ${event.id}`,
      `webhook-timestamp: ${timestamp}`,
      'authorization: Bearer abc123',
      'content-length: 73',
    ].toSorted(),
  )
})

test('without a token there is no authorization header', async () => {
  const receiver = await openReceiver()

  await post(openSender(), receiver.url)

  expect(receiver.requests[0]?.headers).not.toHaveProperty('authorization')
})

test.each([
  'x',
  'Bearer abc123',
  'Basic dXNlcjpwYXNz',
  'two  spaces inside',
  'Latin-1: £ é ÿ',
  '"q"; a=b, c\\',
])('the token arrives as it was registered: %s', async (authToken) => {
  const receiver = await openReceiver()

  expect(await post(openSender(), receiver.url, authToken)).toEqual({ kind: 'response', status: 200 })
  // Node reads header values as Latin-1.
  expect(receiver.requests[0]?.headers.authorization).toBe(authToken)
})

test.each<[title: string, data: unknown, body: string]>([
  ['null', null, '{"event":"policy.approved","data":null}'],
  ['beyond ASCII', '🚑 Größe', '{"event":"policy.approved","data":"🚑 Größe"}'],
  ['a key __proto__', JSON.parse('{"__proto__":1}'), '{"event":"policy.approved","data":{"__proto__":1}}'],
  ['300 kB', 'x'.repeat(300_000), `{"event":"policy.approved","data":"${'x'.repeat(300_000)}"}`],
])('the body is JSON in UTF-8, whole: %s', async (_title, data, body) => {
  const receiver = await openReceiver()

  const endpoint = endpointAt(receiver.url)
  await openSender().send(endpoint, { ...event, data: data as never }, new AbortController().signal)

  expect(receiver.requests[0]?.text).toBe(body)
  expect(receiver.requests[0]?.headers['content-length']).toBe(String(Buffer.byteLength(body)))
})

test.each([
  ['', '/'],
  ['hook', '/hook'],
  ['hook?token=a%20b&c=d', '/hook?token=a%20b&c=d'],
  ['?c', '/?c'],
  ['straße', '/stra%C3%9Fe'],
  ['hook#fragment', '/hook'],
])('the request goes to the path and query of the URL: %j', async (path, expected) => {
  const receiver = await openReceiver()

  await post(openSender(), receiver.url + path)

  expect(receiver.requests[0]?.path).toBe(expected)
})

test.each([200, 204, 299, 404, 429, 500, 599, 999])('a response is its status: %i', async (status) => {
  const receiver = await openReceiver()
  receiver.respondWith(status)

  expect(await post(openSender(), receiver.url)).toEqual({ kind: 'response', status })
})

test('a response’s Retry-After comes along as it was sent, unless there are several', async () => {
  const receiver = await openReceiver()
  const sender = openSender()

  receiver.respondWith((_request, response) => void response.writeHead(503, { 'retry-after': '7' }).end())
  expect(await post(sender, receiver.url)).toEqual({ kind: 'response', status: 503, retryAfter: '7' })

  receiver.respondWith((_request, response) => {
    response.writeHead(503, ['retry-after', '7', 'retry-after', '9']).end()
  })
  expect(await post(sender, receiver.url)).toEqual({ kind: 'response', status: 503 })
})

test.each([301, 302, 303, 307, 308])('a redirect is never followed: %i', async (status) => {
  const elsewhere = await openReceiver()
  const receiver = await openReceiver()
  receiver.respondWith(
    (_request, response) => void response.writeHead(status, { location: elsewhere.url }).end('moved'),
  )

  expect(await post(openSender(), receiver.url)).toEqual({ kind: 'response', status })
  expect(elsewhere.requests).toHaveLength(0)
})

test('connections are kept alive and used again, for each origin', async () => {
  const one = await startCountingServer()
  const other = await startCountingServer()
  const sender = openSender()
  const tenToEach = (): Promise<unknown> =>
    Promise.all(Array.from({ length: 10 }, () => [post(sender, one.url), post(sender, other.url)]).flat())

  for (let request = 0; request < 50; request++) await post(sender, one.url)
  expect(one.connections()).toBeLessThanOrEqual(2)

  await tenToEach()
  await tenToEach()
  await tenToEach()
  expect(one.connections()).toBeLessThanOrEqual(11)
  expect(other.connections()).toBeLessThanOrEqual(11)
})

async function openReceiver(): Promise<Receiver> {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.stop())
  return receiver
}

async function startCountingServer(): Promise<{ url: string; connections(): number }> {
  let connections = 0
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume().on('end', () => response.end('ok'))
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    connections: () => connections,
  }
}
