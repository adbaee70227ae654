import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { InvalidInputError, SyncError, type InputProblem, type SyncErrorCode } from '../domain/errors.js'
import { sendProblem, type ProblemDetails } from '../http/problem.js'
import type { Logger } from '../logger.js'
import { grpcStatus } from '../temporal/grpc-status.js'
import { MAX_BODY_BYTES } from './body-parsers.js'
import { RequestError, type RequestErrorCode } from './request-error.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the problem with which it was answered. */
    problemCode: string | undefined
  }
}

/** When to try again what is not there just now, in seconds. */
const RETRY_AFTER_S = 5

/** The HTTP status of each error. */
export const SYNC_ERROR_STATUS: Record<SyncErrorCode, number> = {
  INVALID_INPUT: 422,
  EVENT_CONFLICT: 409,
  EVENT_NOT_FOUND: 404,
  EVENT_NOT_ACCEPTED: 503,
  DELIVERY_NOT_OPEN: 409,
  REPLAY_NOT_FOUND: 404,
  ENDPOINT_NOT_FOUND: 404,
  ENDPOINT_HAS_WAITING: 409,
  ENDPOINT_UNUSABLE: 409,
  STORE_UNAVAILABLE: 503,
  STORE_SCHEMA_MISMATCH: 503,
  ENCRYPTION_KEY_MISSING: 500,
  ENCRYPTION_KEY_WRONG: 500,
  DECRYPTION_FAILED: 500,
  TEMPORAL_UNREACHABLE: 503,
  TEMPORAL_TLS_FAILED: 503,
  TEMPORAL_ACCESS_DENIED: 503,
  TEMPORAL_NAMESPACE_MISSING: 503,
  TEMPORAL_SEARCH_ATTRIBUTE_MISSING: 503,
  TEMPORAL_SEARCH_ATTRIBUTE_MISMATCH: 503,
  TEMPORAL_SETUP_FAILED: 503,
  TEMPORAL_SERVER_NOT_FOUND: 503,
  TEMPORAL_SERVER_FAILED: 503,
  NO_WORKER: 503,
  CLOSED: 503,
}

/** What Fastify refuses by itself; its own messages quote nothing of a request. */
const REFUSED: Readonly<Record<number, { code: RequestErrorCode; problem?: InputProblem }>> = {
  413: { code: 'BODY_TOO_LARGE', problem: { field: 'body', accepted: `at most ${MAX_BODY_BYTES} bytes` } },
  414: { code: 'URI_TOO_LONG' },
  415: {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    problem: { field: 'content-type', accepted: 'one of JSON, such as application/json' },
  },
}

/** How an error is answered. */
export interface ErrorAnswer {
  status: number
  details: ProblemDetails & { code: SyncErrorCode | RequestErrorCode }
}

/** What a caller is told of an error: of one that nobody expected, nothing. */
export function toErrorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof RequestError) {
    const { statusCode, code, message, problems } = error
    return { status: statusCode, details: { code, detail: message, errors: problems } }
  }
  if (error instanceof SyncError) {
    const errors = error instanceof InvalidInputError ? error.problems : undefined
    return {
      status: SYNC_ERROR_STATUS[error.code],
      details: { code: error.code, detail: error.message, errors },
    }
  }
  if (grpcStatus(error) !== undefined) {
    const detail = 'Temporal did not answer as it should; try again later'
    return { status: 503, details: { code: 'TEMPORAL_UNREACHABLE', detail } }
  }
  const { statusCode: status = 500, message } = error as FastifyError
  if (status >= 400 && status < 500) {
    const { code, problem }: (typeof REFUSED)[number] = REFUSED[status] ?? { code: 'MALFORMED_REQUEST' }
    return { status, details: { code, detail: message, errors: problem && [problem] } }
  }
  const detail = 'something went wrong here; the log has it under the id in x-request-id'
  return { status: 500, details: { code: 'INTERNAL_ERROR', detail } }
}

/** Answers every error of a handler, a hook or Fastify itself as a problem. */
export function answerErrors(app: FastifyInstance, logger: Logger): void {
  app.decorateRequest('problemCode', undefined)
  app.setErrorHandler((error, request, reply) => {
    const answer = toErrorAnswer(error)
    if (answer.status >= 500) {
      const level = answer.details.code === 'INTERNAL_ERROR' ? 'error' : 'warn'
      logger[level]({ err: error, requestId: request.id }, 'a request failed')
    }
    return sendErrorAnswer(request, reply, answer)
  })
  app.setNotFoundHandler(() => {
    throw new RequestError(404, 'NOT_FOUND', 'there is no such path: expected one that /openapi.json lists')
  })
}

/**
 * Answers, and notes the code for the log.
 * @param extensions further members of the problem (RFC 9457, section 3.2)
 */
export function sendErrorAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, details }: ErrorAnswer,
  extensions: object = {},
): FastifyReply {
  request.problemCode = details.code
  if (status === 503) void reply.header('retry-after', RETRY_AFTER_S)
  return sendProblem(reply, status, { ...details, ...extensions })
}
