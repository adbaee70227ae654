import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import { guardRoutes } from './api/access.js'
import type { ApiToken } from './api/api-token.js'
import { MAX_BODY_BYTES, parseJsonBodies } from './api/body-parsers.js'
import { addEndpointRoutes } from './api/endpoints/endpoint-routes.js'
import { addEndpointOperationRoutes } from './api/endpoints/operation-routes.js'
import { answerClientError } from './api/client-error.js'
import { answerErrors, sendErrorAnswer, toErrorAnswer } from './api/error-answer.js'
import { addEmitRoutes } from './api/events/emit-routes.js'
import { addEventRoutes } from './api/events/event-routes.js'
import { collectMethods } from './api/method-not-allowed.js'
import { measureRequests } from './api/request-metrics.js'
import { describeApi } from './api/openapi.js'
import { addReplayRoutes } from './api/replays/replay-routes.js'
import { addProcessRoutes } from './api/process-routes.js'
import { checkReach } from './api/reach.js'
import { RequestError } from './api/request-error.js'
import { traceRequests } from './api/request-tracing.js'
import { logRequests, requestIdOf } from './api/request-log.js'
import { createSessions } from './api/sessions.js'
import { addStatusRoutes } from './api/status/status-routes.js'
import { validateRequests } from './api/validation.js'
import type { SyncService } from './client.js'
import { createHttpServer, stopHttpServer, urlOf } from './http/http-server.js'
import type { Logger } from './logger.js'
import { createMetrics, type Metrics } from './metrics/metrics.js'
import { addPageRoutes } from './page/page-routes.js'
import { addSessionRoutes } from './page/session-routes.js'

/** Ids of events have 128 characters at most, and may be percent-encoded. */
const MAX_PARAM_LENGTH = 400
/** Emits wait for Temporal for 30 s, and operators for a worker. */
const STOP_GRACE_MS = 35_000

/** Endpoints of which the metrics tell, those in trouble first. */
const METRICS_LIMIT = 200

/** What the HTTP API needs. */
export interface ServerOptions {
  /** A connected service, which stays open when the server stops. */
  service: SyncService
  logger: Logger
  /** @default 127.0.0.1 */
  ip?: string
  /** @default any free port */
  port?: number
  /** Who may call, and what. @default everybody on this machine; the address must be a loopback one then */
  tokens?: readonly ApiToken[] | undefined
  /** Requests of one caller in a second at most. @default unlimited */
  rateLimit?: number | undefined
  /** What the process counts; `/metrics` shows it. @default what the API counts alone */
  metrics?: Metrics
  /** Where the Temporal UI is, to which the status page links. @default no links */
  temporalUiUrl?: string | undefined
  /** How long a client may take to send a request, in milliseconds. @default 15000 */
  requestTimeoutMs?: number
}

/** An HTTP API that serves until it is stopped. */
export interface Server {
  readonly url: string
  /** Answers what was asked, and takes no more. */
  stop(): Promise<void>
}

/**
 * Serves the HTTP API, which `/openapi.json` describes, and the status page at `/`.
 * @throws {InvalidInputError} on an address beyond this machine without tokens
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { service, logger, ip = '127.0.0.1', port = 0, tokens, rateLimit: perSecond } = options
  const { temporalUiUrl, metrics = createMetrics() } = options
  checkReach(ip, tokens)
  const app = createHttpServer({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeoutMs: options.requestTimeoutMs,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    genReqId: requestIdOf,
    clientErrorHandler: answerClientError,
    // For a path that cannot be decoded, which gets to no hook.
    frameworkErrors: (error, request, reply) => {
      void reply.header('x-request-id', request.id)
      void sendErrorAnswer(request, reply, toErrorAnswer(error))
    },
  })
  metrics.addStatus(async () => (await service.status({ limit: METRICS_LIMIT })).endpoints)
  logRequests(app, logger)
  measureRequests(app, metrics)
  traceRequests(app)
  answerErrors(app, logger)
  const sessions = tokens && (await createSessions(app, tokens))
  guardRoutes(app, tokens && sessions && { tokens, sessions })
  await limitRates(app, perSecond)
  parseJsonBodies(app)
  validateRequests(app)
  const refuseOtherMethods = collectMethods(app)
  await describeApi(app)
  addEmitRoutes(app, { service, metrics })
  addEventRoutes(app, { service })
  addEndpointRoutes(app, { service })
  addEndpointOperationRoutes(app, { service })
  addReplayRoutes(app, { service })
  addStatusRoutes(app, { service, temporalUiUrl })
  addProcessRoutes(app, { service, metrics })
  addSessionRoutes(app, { sessions })
  addPageRoutes(app)
  refuseOtherMethods()
  await app.listen({ host: ip, port })
  if (tokens === undefined) logger.warn('no SYNC_API_TOKENS: every program on this machine may do everything')
  return { url: urlOf(app), stop: () => stopHttpServer(app, STOP_GRACE_MS) }
}

/** @param perSecond of a caller; undefined limits what routes limit by themselves alone */
async function limitRates(app: FastifyInstance, perSecond: number | undefined): Promise<void> {
  await app.register(rateLimit, {
    global: perSecond !== undefined,
    ...(perSecond !== undefined && { max: perSecond }),
    timeWindow: 1_000,
    keyGenerator: ({ caller, ip }) => (caller === '' ? ip : caller),
    // What orchestrators ask has no role.
    allowList: ({ routeOptions }) => routeOptions.config.role === undefined,
    errorResponseBuilder: (_, { max }) =>
      new RequestError(429, 'RATE_LIMITED', `at most ${max} requests in a second are accepted of one caller`),
  })
}
