import type { InputProblem } from '../domain/errors.js'

/** Codes of what is wrong with a request before this project's own errors come into it. */
export const REQUEST_ERROR_CODES = [
  'MALFORMED_REQUEST',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TIMEOUT',
  'BODY_TOO_LARGE',
  'URI_TOO_LONG',
  'UNSUPPORTED_MEDIA_TYPE',
  'RATE_LIMITED',
  'HEADERS_TOO_LARGE',
  'INTERNAL_ERROR',
] as const

export type RequestErrorCode = (typeof REQUEST_ERROR_CODES)[number]

/** A request that is refused for how it was made. */
export class RequestError extends Error {
  override readonly name = 'RequestError'

  constructor(
    readonly statusCode: number,
    readonly code: RequestErrorCode,
    detail: string,
    readonly problems?: readonly InputProblem[],
  ) {
    super(detail)
  }
}

/** A part of the request that is not accepted, such as the header `content-type` or the whole body. */
export function refuse(statusCode: number, code: RequestErrorCode, problem: InputProblem): RequestError {
  const { field, value, accepted } = problem
  const given = value === undefined ? field : `${field} ${value}`
  return new RequestError(statusCode, code, `${given} is not accepted: expected ${accepted}`, [problem])
}
