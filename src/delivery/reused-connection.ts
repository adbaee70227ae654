import { Client, type Dispatcher } from 'undici'

const CLOSED_CODES = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/**
 * A kept-alive connection that the receiver closed just when it was used again: nobody's fault, and no word on
 * the receiver (RFC 9112, section 9.3.1).
 */
export class ReusedConnectionClosedError extends Error {
  override readonly name = 'ReusedConnectionClosedError'
  readonly code = 'UND_ERR_SOCKET'
}

/** A client that tells such an end of a connection from one that has answered nothing yet. */
export class ReuseAwareClient extends Client {
  /** Whether the connection that stands has answered a request. */
  #hasAnswered = false

  constructor(...parameters: ConstructorParameters<typeof Client>) {
    super(...parameters)
    this.on('connect', () => (this.#hasAnswered = false))
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return super.dispatch(options, new WatchedHandler(handler as OlderHandler, this))
  }

  /** Whether a request that fails before its answer was sent over a connection that had answered before. */
  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  noteAnswer(): void {
    this.#hasAnswered = true
  }
}

/** undici's older interface of handlers, which is what a client is given. */
type OlderHandler = Required<
  Pick<
    Dispatcher.DispatchHandler,
    'onConnect' | 'onHeaders' | 'onData' | 'onComplete' | 'onError' | 'onUpgrade'
  >
>

/** The handler, with its answer noticed and its error replaced. */
class WatchedHandler implements OlderHandler {
  #isAnswered = false

  constructor(
    private readonly handler: OlderHandler,
    private readonly client: ReuseAwareClient,
  ) {}

  onConnect(...parameters: Parameters<OlderHandler['onConnect']>): void {
    this.handler.onConnect(...parameters)
  }

  onHeaders(...parameters: Parameters<OlderHandler['onHeaders']>): boolean {
    this.#isAnswered = true
    this.client.noteAnswer()
    return this.handler.onHeaders(...parameters)
  }

  onData(chunk: Buffer): boolean {
    return this.handler.onData(chunk)
  }

  onComplete(trailers: string[] | null): void {
    this.handler.onComplete(trailers)
  }

  onUpgrade(...parameters: Parameters<OlderHandler['onUpgrade']>): void {
    this.handler.onUpgrade(...parameters)
  }

  onError(error: Error): void {
    const wasClosed = !this.#isAnswered && this.client.hasAnswered && isClosed(error)
    this.handler.onError(
      wasClosed
        ? new ReusedConnectionClosedError('the kept-alive connection was closed', { cause: error })
        : error,
    )
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CLOSED_CODES.has(String(error.code))
}
