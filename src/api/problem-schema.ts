import { z } from 'zod'
import type { SyncErrorCode } from '../domain/errors.js'
import { PROBLEM_CONTENT_TYPE } from '../http/problem.js'
import { SYNC_ERROR_STATUS } from './error-answer.js'
import { REQUEST_ERROR_CODES } from './request-error.js'

const codes = [...REQUEST_ERROR_CODES, ...(Object.keys(SYNC_ERROR_STATUS) as SyncErrorCode[])]

/** Every error (RFC 9457). */
export const problemSchema = z
  .looseObject({
    type: z.literal('about:blank'),
    title: z.string().meta({ description: 'The phrase of the HTTP status.' }),
    status: z.int().min(400).max(599),
    code: z.enum(codes).meta({ description: 'Stable: match on this, never on the texts.' }),
    detail: z.string().meta({ description: 'What is wrong with this request, and what would be accepted.' }),
    errors: z
      .array(
        z.object({
          field: z.string().meta({ description: 'Path of the field, such as `url` or `events[2]`.' }),
          value: z.string().optional().meta({ description: 'What was given, shortened; never a secret.' }),
          accepted: z.string().meta({ description: 'What would be accepted.' }),
        }),
      )
      .optional()
      .meta({ description: 'What was refused, field by field.' }),
  })
  .meta({ id: 'Problem', description: 'An error as RFC 9457 describes it.' })

const DESCRIPTIONS = {
  400: 'The request cannot be read, such as a body that is no JSON.',
  401: 'A token is missing or not known.',
  403: 'The token’s role may not do this.',
  404: 'There is no such thing.',
  409: 'What is there does not allow it; `code` says why.',
  413: 'The body is too large.',
  414: 'A part of the path is longer than any name.',
  415: 'The body is of another content type than those listed.',
  422: 'A field is not accepted; `errors` lists all of them.',
  429: 'More requests than a caller may make in a second.',
  500: 'Something went wrong here.',
  503: 'Temporal, a worker or the endpoint store is not there just now; `retry-after` says when to try again.',
} as const

type DescribedStatus = keyof typeof DESCRIPTIONS

/** Problems that every route may answer with, and every one that needs a role. */
const OF_ALL: readonly DescribedStatus[] = [400, 500]
const OF_GUARDED: readonly DescribedStatus[] = [401, 403, 414, 422, 429, 503]

/** The problems of a route that needs a role, for its documentation. */
export function problems(...others: DescribedStatus[]): Record<number, object> {
  return described([...OF_ALL, ...OF_GUARDED, ...others])
}

/** The problems of a route that everybody may call. */
export function openProblems(...others: DescribedStatus[]): Record<number, object> {
  return described([...OF_ALL, ...others])
}

function described(statuses: readonly DescribedStatus[]): Record<number, object> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: DESCRIPTIONS[status],
        content: { [PROBLEM_CONTENT_TYPE]: { schema: problemSchema } },
      },
    ]),
  )
}

/** An answer of a route, for its documentation. */
export function answer(description: string, schema: z.ZodType): object {
  return { description, content: { 'application/json': { schema } } }
}
