import { Pool, type Dispatcher } from 'undici'
import { startServer } from '../../dist/server.js'
import type { Emitter } from './callers.js'
import type { System } from './system.js'

/** Emits over HTTP, on connections that are kept. */
export interface HttpEmitter extends Emitter, AsyncDisposable {}

/**
 * Costs the machine as little as it can: callers are elsewhere, and what they need is none of the API's.
 * @param connections at most, as many as emit at the same time
 */
export function httpEmitter(url: string, connections: number): HttpEmitter {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const post = (body: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      const answered = (status: number, text: string): void => {
        if (status === 202) resolve()
        else reject(new Error(`the API answered ${status}: ${text}`))
      }
      pool.dispatch(
        {
          method: 'POST',
          path: '/v1/events',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        },
        new Answer(answered, reject),
      )
    })
  return {
    emit: (type, data, { id }) => post({ type, data, id }),
    // What the API refuses of an array that it takes is lost for the sink.
    emitMany: post,
    [Symbol.asyncDispose]: () => pool.close(),
  }
}

class Answer implements Dispatcher.DispatchHandler {
  #status = 0
  #body = ''

  constructor(
    private readonly answered: (status: number, body: string) => void,
    private readonly failed: (error: Error) => void,
  ) {}

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#status !== 202) this.#body += chunk.toString()
  }

  onResponseEnd(): void {
    this.answered(this.#status, this.#body)
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.failed(error)
  }
}

/** Emits over HTTP to an API of the system in this process. */
export async function openHttpEmitter(
  { service, logger }: System,
  connections: number,
): Promise<HttpEmitter> {
  const server = await startServer({ service, logger })
  const emitter = httpEmitter(server.url, connections)
  return {
    ...emitter,
    [Symbol.asyncDispose]: async () => {
      await emitter[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}
