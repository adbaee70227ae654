import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { RequestError } from '../api/request-error.js'
import { refuseForeignRequest, type Sessions } from '../api/sessions.js'

/** Tries to sign in from one address in a minute at most. */
const MAX_TRIES = 20

const TOKEN_ACCEPTED = 'a token of SYNC_API_TOKENS'
const signInBody = z.strictObject(
  { token: z.string(TOKEN_ACCEPTED).min(1, TOKEN_ACCEPTED).max(200, TOKEN_ACCEPTED) },
  'an object of token',
)

const rateLimit = {
  max: MAX_TRIES,
  timeWindow: 60_000,
  keyGenerator: ({ ip }: { ip: string }) => ip,
  allowList: [],
  errorResponseBuilder: () =>
    new RequestError(429, 'RATE_LIMITED', `at most ${MAX_TRIES} tries to sign in are accepted in a minute`),
}

/** Signing in to the status page and out of it; without tokens there is neither. */
export function addSessionRoutes(
  app: FastifyInstance,
  { sessions }: { sessions: Sessions | undefined },
): void {
  const routes = app.withTypeProvider<ZodTypeProvider>()
  const schema = { hide: true }

  routes.get('/session', { schema }, (request) => ({
    isNeeded: sessions !== undefined,
    isThere: sessions?.tokenOf(request) !== undefined,
  }))
  if (sessions === undefined) return

  routes.post(
    '/session',
    { config: { rateLimit }, schema: { ...schema, body: signInBody } },
    async (request, reply) => {
      // Else a page could sign a browser in as somebody else.
      refuseForeignRequest(request)
      sessions.begin(request, reply, request.body.token)
      return reply.code(204).send()
    },
  )

  routes.delete('/session', { schema }, async (request, reply) => {
    refuseForeignRequest(request)
    sessions.end(request, reply)
    return reply.code(204).send()
  })
}
