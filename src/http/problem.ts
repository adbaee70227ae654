import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { InputProblem } from '../domain/errors.js'

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

/** What an answer says of an error (RFC 9457); `code` and `errors` are this project's. */
export interface ProblemDetails {
  /** Stable; match on this. */
  code?: string | undefined
  /** What is wrong with this request. */
  detail?: string | undefined
  /** What was refused, field by field. */
  errors?: readonly InputProblem[] | undefined
}

/** A problem as it is sent. */
export interface Problem extends ProblemDetails {
  type: 'about:blank'
  title: string
  status: number
}

/** @param status the HTTP status, whose phrase is the title where the type says no more (RFC 9457, section 4.2.1) */
export function toProblem(status: number, details: ProblemDetails): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, ...details }
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, status: number, details: ProblemDetails): FastifyReply {
  return reply.code(status).type(PROBLEM_CONTENT_TYPE).send(toProblem(status, details))
}
