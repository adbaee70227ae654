import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from '../support/free-port.js'
import { openSender, post } from './fixtures/deliveries.js'
import { startTcpServer } from './fixtures/tcp-server.js'

const TOKEN = 'Bearer sEcReT'
const PATH = 'sEcReT?token=sEcReT'

/** What quotes the request in its answer, or makes a client quote it. */
test.each<[title: string, answer: (socket: Socket, request: Buffer) => void]>([
  ['closes', (socket) => socket.end()],
  ['resets', (socket) => socket.resetAndDestroy()],
  ['says nothing', () => undefined],
  ['echoes the request', (socket, request) => socket.end(request)],
  ['quotes the request as its status', (socket, request) => socket.end(`HTTP/1.1 ${request.toString()}`)],
  [
    'quotes the request in too many headers',
    (socket, request) => {
      const header = `x-echo: ${request.toString().replaceAll(/\s/g, '')}\r\n`
      socket.end(`HTTP/1.1 200 OK\r\n${header.repeat(1_000)}\r\n`)
    },
  ],
  [
    'changes the protocol',
    (socket) => socket.end('HTTP/1.1 101 x\r\nupgrade: sEcReT\r\nconnection: upgrade\r\n\r\n'),
  ],
])('a failure names neither token nor path nor query: the server %s', async (_title, answer) => {
  const server = await startTcpServer(answer)
  const sender = openSender({ headersTimeoutMs: 100, totalTimeoutMs: 2_000 })

  const result = await post(sender, server.url + PATH, TOKEN)

  expect(result).toMatchObject({ kind: 'failure', message: expect.stringMatching(/.+/) })
  expect(JSON.stringify(result)).not.toContain('sEcReT')
})

test.each<[title: string, url: () => Promise<string>, token: string]>([
  ['nobody listens', async () => `http://127.0.0.1:${await freePort()}/${PATH}`, TOKEN],
  ['the host does not exist', () => Promise.resolve(`http://nobody.invalid/${PATH}`), TOKEN],
  ['the stored URL is none', () => Promise.resolve(`nowhere/${PATH}`), TOKEN],
  ['the stored token is no header value', () => Promise.resolve(`http://127.0.0.1:1/${PATH}`), 'sEc\nsEcReT'],
])('a failure names neither token nor path nor query: %s', async (_title, url, token) => {
  const result = await post(openSender(), await url(), token)

  expect(result).toMatchObject({ kind: 'failure', message: expect.stringMatching(/.+/) })
  expect(JSON.stringify(result)).not.toContain('sEcReT')
})
