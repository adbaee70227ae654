import type { Dispatcher } from 'undici'
import type { Cancellation } from './cancellation.js'
import type { Connections } from './connections.js'
import { ReusedConnectionClosedError } from './reused-connection.js'

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
  /** How long the body may take once the status has come, in milliseconds. @default as long as `cancellation` lets it */
  bodyGraceMs?: number | undefined
  /** Ends the exchange, which then rejects; the body's end alone rejects nothing. */
  cancellation: Cancellation
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
    if (!(error instanceof ReusedConnectionClosedError) || options.cancellation.reason !== undefined)
      throw error
    return exchangeOver(fresh, request, options)
  }
}

function exchangeOver(
  dispatcher: Dispatcher,
  { url, method, headers, body }: HttpRequest,
  { headersTimeoutMs, bodyGraceMs, cancellation }: ExchangeOptions,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    if (cancellation.reason !== undefined) return reject(cancellation.reason)
    const answer = new Answer(bodyGraceMs, cancellation, resolve, reject)
    const { origin, pathname, search } = url
    dispatcher.dispatch(
      {
        origin,
        path: pathname + search,
        method,
        headers,
        body: body ?? null,
        headersTimeout: headersTimeoutMs,
      },
      answer,
    )
  })
}

/**
 * One answer as undici tells of it. The body is read to its end, so that the connection can be used again; one
 * that is too long, too slow or breaks off costs the connection and nothing else.
 */
class Answer implements Dispatcher.DispatchHandler {
  readonly #startedAt = performance.now()
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #head: Pick<HttpResponse, 'status' | 'headers' | 'firstByteMs'> | undefined
  #controller: Dispatcher.DispatchController | undefined
  #grace: NodeJS.Timeout | undefined
  #isDone = false
  readonly #ignoreCancellation: () => void

  constructor(
    private readonly graceMs: number | undefined,
    cancellation: Cancellation,
    private readonly resolve: (response: HttpResponse) => void,
    private readonly reject: (error: Error) => void,
  ) {
    // Until a connection stands, undici has nothing to end.
    this.#ignoreCancellation = cancellation.onCancelled((reason) => this.#cut(reason))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#isDone) controller.abort(new Error('the exchange has ended'))
    else this.#controller = controller
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: HttpResponse['headers'],
  ): void {
    if (status < 200) return
    this.#head = { status, headers, firstByteMs: Math.round(performance.now() - this.#startedAt) }
    if (this.graceMs === undefined) return
    this.#grace = setTimeout(() => this.#cut(new Error('the body took too long')), this.graceMs)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > MAX_BODY_BYTES) this.#cut(new Error('the body is too long'))
  }

  onResponseEnd(): void {
    this.#end(true)
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(error)
  }

  /** Ends it from here, and with it the connection. */
  #cut(reason: Error): void {
    this.#fail(reason)
    this.#controller?.abort(reason)
  }

  /** Where the status has decided, the body's end does not matter. */
  #fail(error: Error): void {
    if (this.#head !== undefined) this.#end(false)
    else if (this.#finish()) this.reject(error)
  }

  #end(isComplete: boolean): void {
    if (this.#head === undefined || !this.#finish()) return
    const [only, ...others] = this.#chunks
    const body = only !== undefined && others.length === 0 ? only : Buffer.concat(this.#chunks)
    this.resolve({ ...this.#head, body: body.subarray(0, MAX_BODY_BYTES), isComplete })
  }

  #finish(): boolean {
    if (this.#isDone) return false
    this.#isDone = true
    clearTimeout(this.#grace)
    this.#ignoreCancellation()
    return true
  }
}
