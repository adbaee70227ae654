import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openSender, post } from './fixtures/deliveries.js'
import { event } from './fixtures/event.js'
import { OK, startTcpServer } from './fixtures/tcp-server.js'

const STATUS_200 = { kind: 'response', status: 200 }

test.each([
  ['with its response', 0],
  ['just after its response', 1],
])('a server that closes each kept-alive connection %s never fails an attempt', async (_title, waitMs) => {
  const server = await startTcpServer((socket) => {
    if (waitMs === 0) socket.end(OK)
    else socket.write(OK, () => void delay(waitMs).then(() => socket.destroy()))
  })
  const sender = openSender()

  for (let request = 0; request < 300; request++) expect(await post(sender, server.url)).toEqual(STATUS_200)
})

test('a request that meets a closing connection is sent again at once, whole, on a fresh one', async () => {
  const received: string[] = []
  const server = await startTcpServer((socket, bytes, count) => {
    received.push(bytes.toString())
    if (count === 1) socket.write(OK)
    else socket.destroy()
  })
  const sender = openSender()

  for (let request = 0; request < 20; request++) expect(await post(sender, server.url)).toEqual(STATUS_200)

  expect(server.sockets).toHaveLength(20)
  expect(received.length).toBeGreaterThan(20)
  expect(received.every((request) => request.includes(event.id) && request.endsWith('}}'))).toBe(true)
})

test('a kept-alive connection that is reset before it answers is replaced as well', async () => {
  const server = await startTcpServer((socket, _bytes, count) => {
    if (count === 1) socket.write(OK)
    else socket.resetAndDestroy()
  })
  const sender = openSender()

  for (let request = 0; request < 20; request++) expect(await post(sender, server.url)).toEqual(STATUS_200)
})

test('when the fresh connection fails too, the attempt fails', async () => {
  let answers = true
  const server = await startTcpServer((socket) => {
    if (answers) socket.write(OK)
    else socket.destroy()
  })
  const sender = openSender()
  for (let request = 0; request < 5; request++) await post(sender, server.url)
  const keptAlive = server.sockets.length
  answers = false

  expect(await post(sender, server.url)).toMatchObject({ kind: 'failure', code: 'UND_ERR_SOCKET' })
  expect(server.sockets).toHaveLength(keptAlive + 1)
})

test('a kept-alive connection that falls silent is not tried again', async () => {
  let answers = true
  let requests = 0
  const server = await startTcpServer((socket) => {
    requests++
    if (answers) socket.write(OK)
  })
  const sender = openSender({ headersTimeoutMs: 100 })
  for (let request = 0; request < 5; request++) await post(sender, server.url)
  const keptAlive = server.sockets.length
  answers = false

  expect(await post(sender, server.url)).toMatchObject({ kind: 'failure', code: 'UND_ERR_HEADERS_TIMEOUT' })
  expect(requests).toBe(6)
  expect(server.sockets).toHaveLength(keptAlive)
})
