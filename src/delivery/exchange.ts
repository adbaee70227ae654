import type { Dispatcher } from 'undici'
import type { Connections } from './connections.js'
import { ReusedConnectionClosedError } from './reused-connection.js'
import { untilAborted } from './until-aborted.js'

/** No more of a response is read. */
const MAX_BODY_BYTES = 64 * 1024

/** One HTTP request as it is sent. */
export interface HttpRequest {
  url: URL
  method: string
  headers: Record<string, string>
  body?: string
}

/** What came back. */
export interface HttpResponse {
  status: number
  headers: Record<string, string | string[] | undefined>
  /** The body, or its beginning. */
  body: Buffer
  isComplete: boolean
  firstByteMs: number
}

interface ExchangeOptions {
  headersTimeoutMs: number
  /** How long the body may take once the status has come, in milliseconds. @default as long as `signal` lets it */
  bodyGraceMs?: number | undefined
  /** Ends the exchange, which then rejects; the body's end alone rejects nothing. */
  signal: AbortSignal
}

/**
 * Makes one request; redirects are not followed. It goes out again on a new connection where a kept-alive one
 * was closed before any answer: the receiver may get it twice, as it may anyway.
 */
export async function exchange(
  { pooled, fresh }: Connections,
  request: HttpRequest,
  options: ExchangeOptions,
): Promise<HttpResponse> {
  try {
    return await exchangeOver(pooled, request, options)
  } catch (error) {
    if (!(error instanceof ReusedConnectionClosedError) || options.signal.aborted) throw error
    return exchangeOver(fresh, request, options)
  }
}

async function exchangeOver(
  dispatcher: Dispatcher,
  { url, method, headers, body }: HttpRequest,
  { headersTimeoutMs, bodyGraceMs, signal }: ExchangeOptions,
): Promise<HttpResponse> {
  const startedAt = performance.now()
  const requested = dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers,
    body: body ?? null,
    headersTimeout: headersTimeoutMs,
    signal,
  })
  // Until a connection stands, undici does not look at the signal.
  const response = await untilAborted(signal, requested)
  const firstByteMs = Math.round(performance.now() - startedAt)
  return {
    status: response.statusCode,
    headers: response.headers,
    firstByteMs,
    ...(await readBeginning(response.body, bodyGraceMs)),
  }
}

/**
 * Reads a body to its end, so that the connection can be used again; one that is too long, too slow or breaks
 * off costs the connection and nothing else.
 */
async function readBeginning(
  body: Dispatcher.ResponseData['body'],
  graceMs: number | undefined,
): Promise<{ body: Buffer; isComplete: boolean }> {
  const chunks: Buffer[] = []
  let bytes = 0
  let isComplete = true
  const timer = graceMs === undefined ? undefined : setTimeout(() => body.destroy(), graceMs)
  body.on('error', () => (isComplete = false))
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) break
    }
  } catch {
    isComplete = false
  }
  clearTimeout(timer)
  return {
    body: Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES),
    isComplete: isComplete && bytes <= MAX_BODY_BYTES,
  }
}
