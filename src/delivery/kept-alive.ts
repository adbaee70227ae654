import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticsChannel } from 'undici'

/** Tells requests that failed for the age of their connection from others. */
export interface KeptAliveWatch {
  /**
   * Whether this error came of a kept-alive connection that the server closed before it answered. It was
   * about to close it anyway, and says nothing of the request: sending it again at once is right, where it
   * may arrive twice (RFC 9112, section 9.3.1).
   */
  closedBeforeAnswer(error: unknown): boolean
  end(): void
}

const CLOSED_CODES = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/**
 * Watches the requests of undici by its diagnostics channels, as a request does not know its connection. They
 * are marked experimental: where they fall silent, a request that met a closing connection fails once more.
 */
export function watchKeptAlive(): KeptAliveWatch {
  const used = new WeakSet<object>()
  const unanswered = new WeakSet<object>()
  const closed = new WeakSet<object>()

  const listeners: [string, (message: unknown) => void][] = [
    [
      'undici:client:sendHeaders',
      (message) => {
        const { request, socket } = message as DiagnosticsChannel.ClientSendHeadersMessage
        if (used.has(socket)) unanswered.add(request)
        used.add(socket)
      },
    ],
    [
      'undici:request:headers',
      (message) => void unanswered.delete((message as DiagnosticsChannel.RequestHeadersMessage).request),
    ],
    [
      'undici:request:error',
      (message) => {
        const { request, error } = message as DiagnosticsChannel.RequestErrorMessage
        if (unanswered.has(request) && 'code' in error && CLOSED_CODES.has(String(error.code)))
          closed.add(error)
      },
    ],
  ]
  for (const [channel, listener] of listeners) subscribe(channel, listener)
  return {
    closedBeforeAnswer: (error) => error instanceof Error && closed.has(error),
    end: () => {
      for (const [channel, listener] of listeners) unsubscribe(channel, listener)
    },
  }
}
