import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ReuseAwareClient } from '../../src/delivery/reused-connection.js'
import { attempt, openSender, openTcpServer } from '../support/attempts.js'

/** Until undici has noticed that a connection is idle. */
const IDLE_MS = 30

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

/** A server that answers by which request it is on its connection, from 1. */
async function openScripted(answer: (socket: Socket, count: number) => void) {
  const requests: string[] = []
  let connections = 0
  const port = await openTcpServer((socket) => {
    connections += 1
    let count = 0
    socket.on('data', (bytes) => {
      requests.push(bytes.toString())
      answer(socket, ++count)
    })
  })
  return { url: `http://127.0.0.1:${port}/`, requests, connections: () => connections }
}

test.each<[string, (socket: Socket) => void]>([
  ['closed', (socket) => socket.destroy()],
  ['ended', (socket) => socket.end()],
  ['reset', (socket) => socket.resetAndDestroy()],
])('a kept-alive connection that is %s when it is used again is no failure', async (_title, end) => {
  const server = await openScripted((socket, count) => (count === 1 ? socket.write(OK) : end(socket)))
  const sender = openSender()

  expect(await attempt(sender, { url: server.url })).toMatchObject({ status: 200 })
  await sleep(IDLE_MS)
  expect(await attempt(sender, { url: server.url })).toMatchObject({ status: 200 })

  expect(server.requests).toHaveLength(3)
  // The same request, whole, on a connection of its own.
  const ids = server.requests.map((request) => /webhook-id: (.*)/.exec(request)?.[1])
  expect(new Set(ids).size).toBe(1)
  expect(server.requests.every((request) => request.endsWith('}}'))).toBe(true)
  expect(server.connections()).toBe(2)
})

test('a fresh connection that is closed before an answer is a failure, after one request', async () => {
  const server = await openScripted((socket) => socket.destroy())

  expect(await attempt(openSender(), { url: server.url })).toMatchObject({ code: 'UND_ERR_SOCKET' })
  expect(server.requests).toHaveLength(1)
})

test('the request goes out again once, and not for ever', async () => {
  let answers = 1
  const server = await openScripted((socket) => (answers-- > 0 ? socket.write(OK) : socket.destroy()))
  const sender = openSender()
  await attempt(sender, { url: server.url })
  await sleep(IDLE_MS)

  expect(await attempt(sender, { url: server.url })).toMatchObject({ code: 'UND_ERR_SOCKET' })
  expect(server.requests).toHaveLength(3)
})

test('many idle connections that a restart has closed cost one more request each time, not many', async () => {
  let restarted = false
  const server = await openScripted((socket, count) => {
    if (restarted && count > 1) socket.destroy()
    else setTimeout(() => socket.write(OK), 20)
  })
  const sender = openSender()
  await Promise.all(Array.from({ length: 10 }, () => attempt(sender, { url: server.url })))
  await sleep(IDLE_MS)
  restarted = true
  const before = server.requests.length

  expect(await attempt(sender, { url: server.url })).toMatchObject({ status: 200 })
  expect(server.requests.length - before).toBe(2)
})

test('the next connection of a client begins without a past', async () => {
  let connections = 0
  const port = await openTcpServer((socket) => {
    connections += 1
    const isFirst = connections === 1
    socket.on('data', () => (isFirst ? socket.end(OK) : socket.destroy()))
  })
  const client = new ReuseAwareClient(`http://127.0.0.1:${port}`)
  onTestFinished(() => client.destroy())
  const disconnected = once(client, 'disconnect')
  const { body } = await client.request({ method: 'POST', path: '/' })
  await body.dump()
  await disconnected

  await expect(client.request({ method: 'POST', path: '/' })).rejects.toMatchObject({ name: 'SocketError' })
  expect(connections).toBe(2)
})
