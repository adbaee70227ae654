import { EventEmitter, once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { AttemptDependencies } from '../../src/activities/attempt.js'
import type { AttemptResult } from '../../src/delivery/attempt-result.js'
import { createConcurrencyLimiter } from '../../src/delivery/concurrency-limiter.js'
import { createEndpointHealth } from '../../src/delivery/endpoint-health.js'
import { createRateLimiter } from '../../src/delivery/rate-limiter.js'
import { createRetryLine } from '../../src/delivery/retry-line.js'
import { createSender, type Sender, type SenderOptions } from '../../src/delivery/send.js'
import type { Endpoint } from '../../src/domain/endpoint.js'
import type { SyncEvent } from '../../src/domain/event.js'
import type { StoredEndpoint } from '../../src/store/endpoint-store.js'
import { startReceiver, type Receiver, type Respond } from '../../src/testing/receiver.js'
import { recordingLogger } from './recording-logger.js'

export const LOOPBACK = ['127.0.0.0/8', '::1/128']

export const policyApproved: SyncEvent = {
  type: 'policy.approved',
  id: '0198c5a2-7b1e-7000-8000-000000000001',
  time: '2026-01-01T00:00:00.000Z',
  data: { id: 'SAFETY-7', title: 'No entry', content: 'Nobody enters.' },
  key: 'policy/SAFETY-7',
}

export function endpointWith(settings: Partial<Endpoint> & { url: string }): Endpoint {
  return {
    name: 'EMS-Scheduler',
    state: 'active',
    version: 'v1',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...settings,
  }
}

/** A sender that closes with the test; it may reach loopback. */
export function openSender(options: SenderOptions = {}): Sender {
  const sender = createSender({ allowNetworks: LOOPBACK, ...options })
  onTestFinished(() => sender.close())
  return sender
}

/** What a worker makes attempts with, of one endpoint that does not change, without jitter. */
export function workerParts(endpoint: StoredEndpoint | undefined): AttemptDependencies {
  return {
    endpoints: {
      get: () => Promise.resolve(endpoint),
      getLatest: () => Promise.resolve(endpoint),
      wasRemoved: () => Promise.resolve(true),
      subscribers: () => Promise.resolve([]),
      close: () => undefined,
    },
    sender: openSender(),
    limiter: createConcurrencyLimiter(),
    rates: createRateLimiter(),
    health: createEndpointHealth(),
    line: createRetryLine(),
    logger: recordingLogger().logger,
    random: () => 0,
    onRecovery: () => undefined,
  }
}

/** One attempt that nobody stops. */
export function attempt(
  sender: Sender,
  settings: Partial<Endpoint> & { url: string },
  event: SyncEvent = policyApproved,
): Promise<AttemptResult> {
  return sender.send(endpointWith(settings), event, new AbortController().signal)
}

/** A promise and what settles it. */
export function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  const settled = new EventEmitter()
  return {
    promise: once(settled, 'resolve').then(() => undefined),
    resolve: () => void settled.emit('resolve'),
  }
}

/** A receiver that stops with the test. */
export async function openReceiver(...responses: Respond[]): Promise<Receiver> {
  const [first, ...others] = responses
  const receiver = await startReceiver(first, ...others)
  onTestFinished(() => receiver.stop())
  return receiver
}

/** An HTTP server that stops with the test. */
export function openServer(listener: RequestListener): Promise<string> {
  return listen(createServer(listener), 'http')
}

/** An HTTPS server that stops with the test. */
export function openTlsServer(options: ServerOptions, listener: RequestListener): Promise<string> {
  const server = createTlsServer(options, listener)
  server.on('tlsClientError', () => undefined)
  return listen(server, 'https')
}

/** A TCP server that stops with the test. */
export async function openTcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

async function listen(server: Server, scheme: string): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`
}
