import cors from '@fastify/cors'
import type { FastifyError, FastifyInstance } from 'fastify'
import { SyncError } from './domain/errors.js'
import type { KeyRing } from './encryption/key-ring.js'
import { createHttpServer, stopHttpServer, urlOf } from './http/http-server.js'
import { sendProblem } from './http/problem.js'
import { bearerToken, digestOf, hasDigest } from './http/secret-digest.js'
import type { Logger } from './logger.js'
import { createPayloadCodec } from './temporal/payload-codec.js'
import { readRemotePayloads, writeRemotePayloads } from './temporal/remote-payloads.js'

/** Temporal's messages have 4 MiB at most, which base64 makes a third larger. */
const MAX_BODY_BYTES = 8 * 1024 * 1024
const IDLE_TIMEOUT_MS = 30_000
/** How long a browser may remember what an origin may do. */
const PREFLIGHT_MAX_AGE_S = 600

const SIGNED_IN = 'external-sync codec endpoint: you are signed in, so that the Temporal UI can use it.\n'

/** What the codec endpoint needs. */
export interface CodecServerOptions {
  keys: KeyRing
  /** What callers must know: a bearer token, or the password of any user. */
  token: string
  /** Origins whose pages may call it. */
  origins: readonly string[]
  ip: string
  port: number
  logger: Logger
}

/** A codec endpoint that serves until it is stopped. */
export interface CodecServer {
  /** What the Temporal UI and the Temporal CLI are told. */
  readonly url: string
  /** Answers what was asked, and takes no more. */
  stop(): Promise<void>
}

/**
 * Serves Temporal's remote codec protocol (https://docs.temporal.io/codec-server), so that the Temporal UI and
 * the Temporal CLI can show what is encrypted to those who know the token.
 */
export async function startCodecServer(options: CodecServerOptions): Promise<CodecServer> {
  const { keys, token, origins, ip, port, logger } = options
  const app = createHttpServer({ bodyLimit: MAX_BODY_BYTES, connectionTimeout: IDLE_TIMEOUT_MS })
  // A page of another origin may post text without asking first.
  app.removeContentTypeParser('text/plain')
  // Before the token is asked for: a preflight request has none, and a browser must read the refusal.
  await app.register(cors, {
    origin: [...origins],
    credentials: true,
    methods: ['POST'],
    maxAge: PREFLIGHT_MAX_AGE_S,
  })
  requireToken(app, token)
  answerProblems(app, logger)
  addRoutes(app, keys, logger)
  await app.listen({ host: ip, port })
  return { url: urlOf(app), stop: () => stopHttpServer(app) }
}

function addRoutes(app: FastifyInstance, keys: KeyRing, logger: Logger): void {
  const codec = createPayloadCodec({ keys: () => keys, encrypt: true })
  for (const operation of ['decode', 'encode'] as const) {
    // The Temporal CLI can put the namespace before it.
    for (const path of [`/${operation}`, `/:namespace/${operation}`]) {
      app.post(path, async ({ body, headers }) => {
        const payloads = readRemotePayloads(body)
        logger.info({ operation, payloads: payloads.length, namespace: headers['x-namespace'] }, 'codec')
        return writeRemotePayloads(await codec[operation](payloads))
      })
    }
  }
  // A browser asks for user and password here, and not when a page of another origin calls.
  app.get('/', (_, reply) => reply.type('text/plain').send(SIGNED_IN))
}

/** RFC 6750, section 2.1, and RFC 7617, whose user is not looked at. */
function requireToken(app: FastifyInstance, token: string): void {
  const expected = digestOf(token)
  app.addHook('onRequest', async ({ headers }, reply) => {
    void reply.header('cache-control', 'no-store')
    if (hasDigest(givenToken(headers.authorization), expected)) return undefined
    void reply.header('www-authenticate', 'Basic realm="external-sync codec", charset="UTF-8"')
    return sendProblem(reply, 401, { detail: 'expected SYNC_CODEC_TOKEN as bearer token or as password' })
  })
}

function givenToken(authorization = ''): string {
  const [scheme = '', credentials = ''] = authorization.split(' ')
  if (scheme.toLowerCase() !== 'basic') return bearerToken(authorization) ?? ''
  const text = Buffer.from(credentials, 'base64').toString()
  return text.slice(text.indexOf(':') + 1)
}

function answerProblems(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((_, reply) =>
    sendProblem(reply, 404, { detail: 'expected POST /decode or /encode' }),
  )
  app.setErrorHandler((error: FastifyError, _, reply) => {
    if (error instanceof SyncError) {
      logger.warn({ code: error.code }, error.message)
      return sendProblem(reply, 400, { code: error.code, detail: error.message })
    }
    // The message of a parser may quote the request.
    const { statusCode = 500, code } = error
    if (statusCode < 500) return sendProblem(reply, statusCode, { code })
    logger.error({ err: error }, 'the codec endpoint failed')
    return sendProblem(reply, 500, {})
  })
}
