import { once } from 'node:events'
import {
  connect,
  constants,
  createSecureServer,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'

/** A gRPC call as the proxy sees it. */
interface ProxiedCall {
  /** Such as `DescribeNamespace`. */
  method: string
  /** The `authorization` header. */
  authorization: string | undefined
}

/** What the proxy answers in place of the server. */
export interface GrpcRefusal {
  /** https://grpc.io/docs/guides/status-codes/ */
  code: number
  message: string
}

export interface TlsProxyOptions {
  /** The server's own certificate and key, in PEM. */
  cert: string
  key: string
  /** Demands a client certificate of this authority, in PEM. @default none is asked for */
  clientCa?: string
  /** Refuses a call; one that it does not refuse is forwarded. @default forwards all */
  refuse?: (call: ProxiedCall) => GrpcRefusal | undefined
}

/** A proxy that ends TLS before a Temporal server, as a load balancer does. */
export interface TlsProxy extends AsyncDisposable {
  /** `host:port` that speaks TLS. */
  readonly address: string
  /** All calls so far. */
  readonly calls: readonly ProxiedCall[]
}

/** Listens with TLS on loopback, and forwards to the server that speaks plain HTTP/2 at `target`. */
export async function startTlsProxy(
  target: string,
  { cert, key, clientCa, refuse }: TlsProxyOptions,
): Promise<TlsProxy> {
  const calls: ProxiedCall[] = []
  const sessions = new Set<ServerHttp2Session | ClientHttp2Session>()
  const sockets = new Set<Socket>()
  const server = createSecureServer({
    cert,
    key,
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  const track = (session: ServerHttp2Session | ClientHttp2Session): void => {
    sessions.add(session)
    session.on('error', () => undefined).on('close', () => sessions.delete(session))
  }
  server.on('session', (session) => {
    const upstream = connect(`http://${target}`)
    track(session)
    track(upstream)
    session.on('close', () => upstream.destroy())
    upstream.on('close', () => session.destroy())
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const call = {
        method: String(headers[':path']).split('/').at(-1) ?? '',
        authorization: headers.authorization,
      }
      calls.push(call)
      const refusal = refuse?.(call)
      if (refusal === undefined) forward(upstream, stream, headers)
      else answer(stream, refusal)
    })
  })
  server.on('sessionError', () => undefined).on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const part of [...sessions, ...sockets]) part.destroy()
      await closed
    },
  }
}

/** gRPC ends a call with trailers (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */
function forward(
  upstream: ClientHttp2Session,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  const request = upstream.request(headers)
  let trailers: IncomingHttpHeaders = {}
  request.on('response', (response, flags) => {
    if (stream.destroyed) return
    const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    stream.respond(response, endStream ? { endStream } : { waitForTrailers: true })
    if (!endStream) request.pipe(stream)
  })
  request.on('trailers', (received) => (trailers = received))
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.pipe(request)
  request.on('error', () => stream.close(constants.NGHTTP2_CANCEL))
  stream.on('error', () => undefined)
  stream.on('close', () => request.close(constants.NGHTTP2_CANCEL))
}

function answer(stream: ServerHttp2Stream, { code, message }: GrpcRefusal): void {
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(code),
      'grpc-message': encodeURIComponent(message),
    },
    { endStream: true },
  )
  stream.resume()
}
