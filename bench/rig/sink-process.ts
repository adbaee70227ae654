/**
 * The process that stands for all external systems: HTTP listeners on loopback that count what they get. It
 * is told what to do by its parent, and ends with it.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SinkLedger } from './sink-ledger.js'
import {
  parseEventId,
  type SinkCommands,
  type SinkMode,
  type SinkReply,
  type SinkRequest,
} from './sink-messages.js'

const IP = '127.0.0.1'

interface Listener {
  server: Server
  mode: SinkMode
  /** Requests that hang. */
  held: Set<() => void>
}

const ledger = new SinkLedger()
const listeners = new Map<number, Listener>()

process.on('message', (request: SinkRequest) => {
  void handle(request).then((reply) => process.send?.({ id: request.id, reply } satisfies SinkReply))
})
process.on('disconnect', () => process.exit())
// They are a terminal's; the parent ends this process.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined)

async function handle({ name, args }: SinkRequest): Promise<SinkCommands[keyof SinkCommands]['reply']> {
  switch (name) {
    case 'listen':
      return { port: await listen() }
    case 'behave':
      await behave(args.port, args.mode)
      return {}
    case 'until':
      await ledger.until(args.phase, args.count, args.of)
      return {}
    case 'arrivals':
      return { arrivals: ledger.arrivals(args.phase) }
    case 'audit':
      return ledger.audit(args)
  }
}

async function listen(): Promise<number> {
  const listener: Listener = { server: createServer(), mode: 'answer', held: new Set() }
  const { server } = listener
  // A connection that the sink drops while a request is on its way would be a failure of the sink's making.
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    request.on('end', () => take(listener, request, response)).resume()
  })
  server.listen(0, IP)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  listeners.set(port, listener)
  return port
}

async function behave(port: number, mode: SinkMode): Promise<void> {
  const listener = listeners.get(port)
  if (listener === undefined) throw new Error(`the sink does not listen on port ${port}`)
  const { server, held } = listener
  listener.mode = mode
  if (mode === 'refuse' && server.listening) {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  if (mode !== 'refuse' && !server.listening) {
    server.listen(port, IP)
    await once(server, 'listening')
  }
  if (mode === 'answer') {
    for (const answer of held) answer()
    held.clear()
  }
}

function take({ mode, held }: Listener, request: IncomingMessage, response: ServerResponse): void {
  const atMs = now()
  const event = parseEventId(String(request.headers['webhook-id']))
  if (event === undefined) {
    response.writeHead(400).end()
    return
  }
  ledger.receive(event.phase)
  const answer = (arrivedMs: number): void => {
    ledger.answer(event.phase, event.event, request.url ?? '', arrivedMs)
    response.writeHead(200, { 'content-length': 0 }).end()
  }
  if (mode !== 'hang') return answer(atMs)
  const release = (): void => answer(now())
  held.add(release)
  response.on('close', () => held.delete(release))
}

/** Epoch milliseconds with a fraction, as the parent counts them too. */
function now(): number {
  return performance.timeOrigin + performance.now()
}
