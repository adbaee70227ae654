import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request as a receiver got it. */
export interface ReceivedRequest {
  method: string
  path: string
  headers: IncomingHttpHeaders
  /** The body as it came. */
  text: string
  /** The body parsed as JSON; undefined where it is not JSON. */
  body: unknown
  /** When it had been read. */
  receivedAt: Date
}

/** How a receiver answers: a status, or anything that Node can do with a response. */
export type Respond = number | ((request: ReceivedRequest, response: ServerResponse) => void | Promise<void>)

/** An HTTP server on loopback that records what it gets. */
export interface Receiver extends AsyncDisposable {
  readonly url: string
  /** Everything received so far, oldest first. */
  readonly requests: readonly ReceivedRequest[]
  /** Answers as told: each of `responses` once, then the last one for ever. */
  respondWith(...responses: [Respond, ...Respond[]]): void
  /** Resolves with the first `count` requests as soon as there are as many. */
  waitForRequests(count: number): Promise<readonly ReceivedRequest[]>
  /** Stops listening and cuts all connections; the port stays its own for `listen`. */
  stop(): Promise<void>
  /** Listens again on the same port. */
  listen(): Promise<void>
}

/** Starts a receiver on a free port; it answers 200 until told otherwise. */
export async function startReceiver(first: Respond = 200, ...others: Respond[]): Promise<Receiver> {
  const requests: ReceivedRequest[] = []
  let waiting: { count: number; resolve: () => void }[] = []
  let queue: [Respond, ...Respond[]] = [first, ...others]

  const server = createServer(
    (request, response) => void receive(request, response).catch(() => response.destroy()),
  )
  await listen(0)
  const { port } = server.address() as AddressInfo

  const stop = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return {
    url: `http://127.0.0.1:${port}/`,
    requests,
    respondWith: (...next) => void (queue = next),
    waitForRequests: async (count) => {
      if (requests.length < count) {
        await new Promise<void>((resolve) => waiting.push({ count, resolve }))
      }
      return requests.slice(0, count)
    },
    stop,
    listen: () => listen(port),
    [Symbol.asyncDispose]: stop,
  }

  async function listen(onPort: number): Promise<void> {
    server.listen(onPort, '127.0.0.1')
    await once(server, 'listening')
  }

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await readRequest(request)
    const respond = nextResponse()
    requests.push(received)
    for (const { resolve } of waiting.filter(({ count }) => count <= requests.length)) resolve()
    waiting = waiting.filter(({ count }) => count > requests.length)
    if (typeof respond === 'number') response.writeHead(respond).end()
    else await respond(received, response)
  }

  function nextResponse(): Respond {
    const [next, following, ...rest] = queue
    if (following !== undefined) queue = [following, ...rest]
    return next
  }
}

async function readRequest(request: IncomingMessage): Promise<ReceivedRequest> {
  const body = await text(request)
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    text: body,
    body: parseJson(body),
    receivedAt: new Date(),
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
