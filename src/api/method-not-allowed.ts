import type { FastifyInstance, HTTPMethods } from 'fastify'
import { RequestError } from './request-error.js'

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

/**
 * Answers the methods that a path does not have with 405 and those that it has (RFC 9110, section 15.5.6). Called
 * before the routes are added; the returned function after them.
 */
export function collectMethods(app: FastifyInstance): () => void {
  const byUrl = new Map<string, Set<HTTPMethods>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = byUrl.get(url) ?? new Set()
    byUrl.set(url, methods)
    for (const one of [method].flat()) methods.add(one)
  })
  return () => {
    for (const [url, methods] of byUrl) {
      const allowed = [...methods]
      const others = METHODS.filter((method) => !methods.has(method))
      app.route({
        url,
        method: others,
        schema: { hide: true },
        // Before the body is read, whose content type would be refused first.
        onRequest: async (request, reply) => {
          void reply.header('allow', allowed.join(', '))
          const detail = `${request.method} is not accepted: expected ${allowed.join(', ')}`
          throw new RequestError(405, 'METHOD_NOT_ALLOWED', detail)
        },
        handler: () => undefined,
      })
    }
  }
}
