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
    let isAnswered = false
    const onAnswer = (): void => {
      isAnswered = true
      this.#hasAnswered = true
    }
    const onError = (error: unknown): unknown =>
      !isAnswered && this.#hasAnswered && isClosed(error)
        ? new ReusedConnectionClosedError('the kept-alive connection was closed', { cause: error })
        : error
    return super.dispatch(options, watched(handler, onAnswer, onError))
  }
}

/**
 * The handler, with its answer noticed and its error replaced. undici's own requests bring handlers of its older
 * interface, whose methods have other names.
 */
function watched(
  handler: Dispatcher.DispatchHandler,
  onAnswer: () => void,
  onError: (error: unknown) => unknown,
): Dispatcher.DispatchHandler {
  return new Proxy(handler, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...parameters: unknown[]): unknown => {
        if (name === 'onHeaders' || name === 'onResponseStart') onAnswer()
        const isError = name === 'onError' || name === 'onResponseError'
        const passed = isError ? [...parameters.slice(0, -1), onError(parameters.at(-1))] : parameters
        return Reflect.apply(method, target, passed) as unknown
      }
    },
  })
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CLOSED_CODES.has(String(error.code))
}
