import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a server that can be cut. */
export interface TcpProxy extends AsyncDisposable {
  /** `host:port`, the same for as long as it lives. */
  readonly address: string
  /** Stops listening and cuts all connections. */
  stop(): Promise<void>
  /** Listens again. */
  listen(): Promise<void>
}

/** Listens on loopback, and passes everything on to `target`. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const [host = '', targetPort = ''] = target.split(':')
  const sockets = new Set<Socket>()
  const track = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  }
  const server = createServer((socket) => {
    const upstream = track(connect(Number(targetPort), host))
    track(socket).pipe(upstream).pipe(socket)
    socket.on('close', () => upstream.destroy())
    upstream.on('close', () => socket.destroy())
  })
  await listen(0)
  const { port } = server.address() as AddressInfo
  return { address: `127.0.0.1:${port}`, stop, listen: () => listen(port), [Symbol.asyncDispose]: stop }

  async function listen(onPort: number): Promise<void> {
    server.listen(onPort, '127.0.0.1')
    await once(server, 'listening')
  }

  async function stop(): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
}
