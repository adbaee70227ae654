import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bearerToken, hasDigest } from '../http/secret-digest.js'
import { mayDo, type ApiRole, type ApiToken } from './api-token.js'
import { RequestError } from './request-error.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. @default everybody */
    role?: ApiRole
  }
  interface FastifyRequest {
    /** The token that was given, as the log names it: its role and the beginning of its hash. */
    caller: string
  }
}

/** `Host` and `Origin` of what speaks to this machine by its own names. */
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

const CHALLENGE = 'Bearer realm="external-sync"'

/**
 * Lets callers do what their token's role may do. Without tokens everybody who reaches the server may do all, which
 * `startServer` allows on loopback only.
 */
export function guardRoutes(app: FastifyInstance, tokens: readonly ApiToken[] | undefined): void {
  app.decorateRequest('caller', '')
  const known = tokens?.map(({ role, sha256 }) => ({ role, sha256, digest: Buffer.from(sha256, 'hex') }))
  app.addHook('onRequest', async (request, reply) => {
    const { role } = request.routeOptions.config
    if (role === undefined) return
    if (known === undefined) return refuseForeignPages(request)
    const token = bearerToken(request.headers.authorization)
    // Each is compared, so that the time tells nothing.
    const given = token === undefined ? [] : known.filter(({ digest }) => hasDigest(token, digest))
    const [first] = given
    if (first === undefined) {
      void reply.header('www-authenticate', CHALLENGE)
      throw new RequestError(401, 'UNAUTHENTICATED', 'expected a token as `authorization: Bearer …`', [
        { field: 'authorization', accepted: 'Bearer and a token of SYNC_API_TOKENS' },
      ])
    }
    request.caller = `${first.role}:${first.sha256.slice(0, 8)}`
    if (given.some((candidate) => mayDo(candidate.role, role))) return
    void reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope"`)
    throw new RequestError(403, 'FORBIDDEN', `this needs a token of the role ${role} or admin`)
  })
}

/**
 * A page in a browser on this machine reaches loopback too, by a request that needs no preflight or by a name that
 * it points here (DNS rebinding).
 */
function refuseForeignPages({ headers: { host = 'localhost', origin } }: FastifyRequest): void {
  const isForeign = origin !== undefined && origin !== `http://${host}`
  if (LOOPBACK_HOST.test(host) && !isForeign) return
  throw new RequestError(
    403,
    'FORBIDDEN',
    'without SYNC_API_TOKENS only programs on this machine may call, by its loopback address',
  )
}
