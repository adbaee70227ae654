import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Logger } from '../logger.js'

/** What a caller may name a request, to find it in both logs. */
const REQUEST_ID = /^[\w.:-]{1,64}$/

/** The caller's `x-request-id` where it is fit for a log, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
}

/** Logs one line for each request, without its body, its query and its credentials; answers its id. */
export function logRequests(app: FastifyInstance, logger: Logger): void {
  app.addHook('onRequest', async ({ id }, reply) => {
    void reply.header('x-request-id', id).header('cache-control', 'no-store')
  })
  app.addHook('onResponse', async ({ id, method, url, routeOptions, caller, problemCode }, reply) => {
    const line = {
      requestId: id,
      method,
      // A path that no route has may hold anything.
      path: routeOptions.url === undefined ? undefined : pathOf(url),
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      caller: caller === '' ? undefined : caller,
      code: problemCode,
    }
    logger.info(line, 'request')
  })
}

function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}
