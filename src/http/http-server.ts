import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'

/** How long a client may take to send a whole request, and its headers, in milliseconds. */
const REQUEST_TIMEOUT_MS = 15_000
const HEADERS_TIMEOUT_MS = 5_000
/** How long a connection may be idle between requests, in milliseconds. */
const IDLE_TIMEOUT_MS = 30_000
/** How often Node looks for connections that take too long, in milliseconds. */
const CHECK_INTERVAL_MS = 1_000
/** How long requests that are under way may take when it stops, in milliseconds. */
const STOP_GRACE_MS = 2_000

/** Makes a server that no slow client can hold. */
export function createHttpServer(
  options: FastifyServerOptions & { bodyLimit: number; requestTimeoutMs?: number | undefined },
): FastifyInstance {
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS, ...others } = options
  return fastify({
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    // What still comes on a connection that is open is answered, and the connection closed.
    return503OnClosing: false,
    http: {
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    ...others,
  })
}

/** Node stops to watch its timeouts when a server closes, so that a slow request could hold it open. */
export async function stopHttpServer(app: FastifyInstance, graceMs = STOP_GRACE_MS): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}

/** Where it listens. */
export function urlOf(app: FastifyInstance): string {
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
