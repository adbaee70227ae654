import { Agent, errors, type Dispatcher } from 'undici'
import { DEFAULT_ATTEMPT_LIMITS, type AttemptLimits } from '../domain/attempt-limits.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { SyncEvent } from '../domain/event.js'
import { toRequest } from './envelope.js'
import { watchKeptAlive, type KeptAliveWatch } from './kept-alive.js'

/** No more of a response's headers or of its body is read; the status alone decides. */
const MAX_RESPONSE_BYTES = 64 * 1024

/** What one HTTP request came to. */
export type AttemptResult =
  | { kind: 'response'; status: number; retryAfter?: string }
  /** No response: `code` is undici's, Node's or OpenSSL's. */
  | { kind: 'failure'; code: string; message: string }

/** Makes attempts over a pool of kept-alive connections for each origin. */
export interface Sender {
  /**
   * Posts the event. Redirects are not followed.
   * @param signal stops the attempt, which then rejects with the signal's reason unless its status is known
   */
  send(endpoint: Endpoint, event: SyncEvent, signal: AbortSignal): Promise<AttemptResult>
  close(): Promise<void>
}

export function createSender(limits: AttemptLimits = DEFAULT_ATTEMPT_LIMITS): Sender {
  const agent = new Agent({
    connect: { timeout: limits.connectTimeoutMs },
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    maxHeaderSize: MAX_RESPONSE_BYTES,
  })
  const keptAlive = watchKeptAlive()
  return {
    send: (endpoint, event, signal) => attempt(agent, keptAlive, limits, endpoint, event, signal),
    close: async () => {
      keptAlive.end()
      await agent.destroy()
    },
  }
}

async function attempt(
  dispatcher: Dispatcher,
  keptAlive: KeptAliveWatch,
  { totalTimeoutMs }: AttemptLimits,
  endpoint: Endpoint,
  event: SyncEvent,
  signal: AbortSignal,
): Promise<AttemptResult> {
  signal.throwIfAborted()
  const { url, ...request } = toRequest(endpoint, event, new Date())
  const timeout = AbortSignal.timeout(totalTimeoutMs)
  const stop = AbortSignal.any([signal, timeout])
  const post = async (): Promise<Dispatcher.ResponseData> => {
    // Each turn uses up one connection of the pool that was open before.
    for (;;) {
      try {
        return await dispatcher.request({ ...splitUrl(url), ...request, signal: stop })
      } catch (error) {
        if (stop.aborted || !keptAlive.closedBeforeAnswer(error)) throw error
      }
    }
  }
  try {
    // Until a connection stands, undici does not look at the signal.
    const response = await Promise.race([post(), rejectedOnAbort(stop)])
    await drain(response.body)
    const retryAfter = response.headers['retry-after']
    return {
      kind: 'response',
      status: response.statusCode,
      ...(typeof retryAfter === 'string' && { retryAfter }),
    }
  } catch (error) {
    signal.throwIfAborted()
    if (timeout.aborted) {
      return { kind: 'failure', code: 'ATTEMPT_TIMEOUT', message: `no response within ${totalTimeoutMs} ms` }
    }
    return toFailure(error)
  }
}

function rejectedOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** Reads the body to its end, so that the connection can be used again; a longer one costs the connection. */
async function drain(body: Dispatcher.ResponseData['body']): Promise<void> {
  try {
    await body.dump({ limit: MAX_RESPONSE_BYTES })
  } catch {
    // The status has been received and decides; a body that breaks off changes nothing.
  }
}

function splitUrl(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url)
  return { origin, path: pathname + search }
}

/** The code and a message of our own making: an error's own text may quote the request. */
function toFailure(error: unknown): AttemptResult {
  const code = errorCode(error)
  return { kind: 'failure', code, message: FAILURE_MESSAGES[code] ?? `the request failed with ${code}` }
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0])
  if (error instanceof errors.SocketError) return 'UND_ERR_SOCKET'
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : 'UNKNOWN'
}

const FAILURE_MESSAGES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the host name was not found',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  EPIPE: 'the connection was closed while the request was sent',
  UND_ERR_SOCKET: 'the connection was closed before a response came',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within the time limit',
  UND_ERR_HEADERS_TIMEOUT: 'no response within the time limit',
  UND_ERR_HEADERS_OVERFLOW: 'the response has too many headers',
  HTTPParserError: 'the response is not HTTP',
  UND_ERR_BODY_TIMEOUT: 'the response stopped midway',
}
