import { Pool } from 'undici'
import { startServer } from '../../src/server.js'
import type { Emitter } from './callers.js'
import type { System } from './system.js'

/** Emits over HTTP, on connections that are kept. */
export interface HttpEmitter extends Emitter, AsyncDisposable {}

/** @param connections at most, as many as emit at the same time */
export function httpEmitter(url: string, connections: number): HttpEmitter {
  const pool = new Pool(url, { connections, pipelining: 1 })
  return {
    emit: async (type, data, { id }) => {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: '/v1/events',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type, data, id }),
      })
      const answer = await body.text()
      if (statusCode !== 202) throw new Error(`the API answered ${statusCode}: ${answer}`)
    },
    [Symbol.asyncDispose]: () => pool.close(),
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
