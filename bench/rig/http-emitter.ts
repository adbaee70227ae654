import { Pool } from 'undici'
import { startServer } from '../../src/server.js'
import type { Emitter } from './load.js'
import type { System } from './system.js'

/** Emits over HTTP to an API of the system in this process, on connections that are kept. */
export interface HttpEmitter extends Emitter, AsyncDisposable {}

/** @param connections at most, as many as emit at the same time */
export async function openHttpEmitter(
  { service, logger }: System,
  connections: number,
): Promise<HttpEmitter> {
  const server = await startServer({ service, logger })
  const pool = new Pool(server.url, { connections, pipelining: 1 })
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
    [Symbol.asyncDispose]: async () => {
      await pool.close()
      await server.stop()
    },
  }
}
