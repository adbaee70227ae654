import { randomBytes, randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { mayDo, type ApiRole, type ApiToken } from './api-token.js'
import { findToken, knownTokens } from './known-tokens.js'
import { RequestError } from './request-error.js'

/** A working day and a half, after which one signs in again. */
const SESSION_S = 12 * 60 * 60
const COOKIE = 'external-sync-session'
const KEY_BYTES = 32

/** What a session may do, whoever began it: the status page needs no more. */
export const SESSION_ROLE: ApiRole = 'operate'

/** Sessions of browsers, for the status page. */
export interface Sessions {
  /**
   * Begins one with a token.
   * @throws {RequestError} 401 or 403
   */
  begin(request: FastifyRequest, reply: FastifyReply, token: string): void
  /** Ends it, here and in the browser. */
  end(request: FastifyRequest, reply: FastifyReply): void
  /** The token with which the request's session was begun, where it has one. */
  tokenOf(request: FastifyRequest): ApiToken | undefined
}

/**
 * Makes sessions that are kept by the browsers: a cookie says which token began it and when it ends, never the token
 * itself, and is signed by a key of this process. So they end with the process, and another one does not know them.
 */
export async function createSessions(app: FastifyInstance, tokens: readonly ApiToken[]): Promise<Sessions> {
  await app.register(cookie, { secret: randomBytes(KEY_BYTES).toString('base64url') })
  const known = knownTokens(tokens)
  /** Ids of sessions that were ended before their time, and when that would have come. */
  const ended = new Map<string, number>()

  const read = (request: FastifyRequest) => {
    const given = request.cookies[COOKIE]
    const { valid, value } = given === undefined ? { valid: false } : request.unsignCookie(given)
    if (!valid || value == null) return undefined
    const [index = '', endsAt = '', id = ''] = value.split('.')
    if (Number(endsAt) <= Date.now() || ended.has(id)) return undefined
    return { id, endsAt: Number(endsAt), token: known[Number(index)] }
  }

  return {
    begin: (request, reply, token) => {
      const found = findToken(known, token)
      const first = found.find(({ role }) => mayDo(role, SESSION_ROLE))
      if (found.length === 0) {
        throw new RequestError(401, 'UNAUTHENTICATED', 'this token is not known', [
          { field: 'token', accepted: 'a token of SYNC_API_TOKENS' },
        ])
      }
      if (first === undefined) {
        throw new RequestError(403, 'FORBIDDEN', `this needs a token of the role ${SESSION_ROLE} or admin`)
      }
      const value = [known.indexOf(first), Date.now() + SESSION_S * 1_000, randomUUID()].join('.')
      void reply.setCookie(COOKIE, value, { ...attributesFor(request), maxAge: SESSION_S, signed: true })
    },
    end: (request, reply) => {
      const session = read(request)
      if (session !== undefined) ended.set(session.id, session.endsAt)
      for (const [id, endsAt] of ended) if (endsAt <= Date.now()) ended.delete(id)
      void reply.clearCookie(COOKIE, attributesFor(request))
    },
    tokenOf: (request) => read(request)?.token,
  }
}

/**
 * That a request comes from the page itself. A browser says of each request from which site it comes, or at least the
 * origin where it changes something; and no other origin can send this header, for which a browser would ask first.
 * @throws {RequestError} 403
 */
export function refuseForeignRequest({ method, headers }: FastifyRequest): void {
  const { origin, host, 'sec-fetch-site': site, 'x-requested-with': requestedWith } = headers
  const isRead = method === 'GET' || method === 'HEAD'
  const isSameSite = site === 'same-origin' || (site === 'none' && isRead)
  const isOwn = site === undefined ? isOwnOrigin(origin, host, isRead) : isSameSite
  if (isOwn && (isRead || requestedWith === 'external-sync')) return
  throw new RequestError(403, 'FORBIDDEN', 'with a session only the status page may call')
}

/** The scheme is not compared: TLS may end before this server. */
function isOwnOrigin(origin: string | undefined, host: string | undefined, isRead: boolean): boolean {
  if (origin === undefined) return isRead
  return URL.canParse(origin) && new URL(origin).host === host
}

/**
 * Who claims that TLS ends before this server is believed: the claim only makes the cookie stricter, so that nothing
 * is won by lying.
 */
function attributesFor({ protocol, headers }: FastifyRequest) {
  const isSecure = protocol === 'https' || headers['x-forwarded-proto'] === 'https'
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure } as const
}
