import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bearerToken } from '../http/secret-digest.js'
import { mayDo, type ApiRole, type ApiToken } from './api-token.js'
import { callerOf, findToken, knownTokens } from './known-tokens.js'
import { RequestError } from './request-error.js'
import { refuseForeignRequest, SESSION_ROLE, type Sessions } from './sessions.js'

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

/** Who may call. */
export interface Access {
  tokens: readonly ApiToken[]
  /** Of browsers, which have no token to send. */
  sessions: Pick<Sessions, 'tokenOf'>
}

/** `Host` and `Origin` of what speaks to this machine by its own names. */
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

const CHALLENGE = 'Bearer realm="external-sync"'

/**
 * Lets callers do what their token's role may do, and browsers what a session may. Without tokens everybody who
 * reaches the server may do all, which `startServer` allows on loopback only.
 */
export function guardRoutes(app: FastifyInstance, access: Access | undefined): void {
  app.decorateRequest('caller', '')
  const known = access && knownTokens(access.tokens)
  app.addHook('onRequest', async (request, reply) => {
    const { role } = request.routeOptions.config
    if (role === undefined) return
    if (known === undefined) return refuseForeignPages(request)
    const { authorization } = request.headers
    const session = authorization === undefined ? access?.sessions.tokenOf(request) : undefined
    if (session !== undefined) {
      request.caller = callerOf(session)
      refuseForeignRequest(request)
      if (mayDo(SESSION_ROLE, role)) return
      throw new RequestError(403, 'FORBIDDEN', `this needs a token of the role ${role}, and no session`)
    }
    const token = bearerToken(authorization)
    const given = token === undefined ? [] : findToken(known, token)
    const [first] = given
    if (first === undefined) {
      void reply.header('www-authenticate', CHALLENGE)
      throw new RequestError(401, 'UNAUTHENTICATED', 'expected a token as `authorization: Bearer …`', [
        { field: 'authorization', accepted: 'Bearer and a token of SYNC_API_TOKENS' },
      ])
    }
    request.caller = callerOf(first)
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
