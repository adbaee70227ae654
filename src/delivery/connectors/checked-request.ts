import { headerNameSchema, headerValueSchema } from '../../domain/parse-endpoint-auth.js'
import { showValue } from '../../domain/parse-input.js'
import type { HttpRequest } from '../exchange.js'
import { METHODS, type ConnectorRequest } from './connector.js'
import { requestUrl } from './request-url.js'

const MAX_BODY_BYTES = 1024 * 1024
const MAX_HEADERS = 50

/**
 * The request as it is sent, of what a connector made; its author may have been mistaken in every part.
 * @throws {Error} naming the part and what is accepted
 */
export function checkedRequest(endpointUrl: string, made: ConnectorRequest): HttpRequest {
  const { method = 'POST', path = '', headers = {}, body } = made
  if (!METHODS.includes(method))
    throw new Error(`method ${showValue(method)}: ${METHODS.join(', ')} are accepted`)
  if (typeof path !== 'string') throw new Error(`path ${showValue(path)}: a string is accepted`)
  const accepted = checkedHeaders(headers)
  return {
    url: checkedUrl(endpointUrl, path),
    method,
    headers: checkedBody(body) === undefined ? accepted : { 'content-type': 'application/json', ...accepted },
    ...(body !== undefined && { body }),
  }
}

function checkedUrl(endpointUrl: string, path: string): URL {
  try {
    return requestUrl(endpointUrl, path)
  } catch (error) {
    throw new Error(`path ${showValue(path)}: ${(error as Error).message}`, { cause: error })
  }
}

function checkedHeaders(headers: Record<string, string>): Record<string, string> {
  const entries = Object.entries(headers)
  if (entries.length > MAX_HEADERS) throw new Error(`headers: at most ${MAX_HEADERS} are accepted`)
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const issues = [headerNameSchema.safeParse(name), headerValueSchema.safeParse(value)]
      const message = issues.find(({ error }) => error !== undefined)?.error?.issues[0]?.message
      if (message !== undefined) throw new Error(`header ${showValue(name)}: ${message} is accepted`)
      return [name.toLowerCase(), value]
    }),
  )
}

function checkedBody(body: unknown): string | undefined {
  if (body === undefined) return undefined
  if (typeof body !== 'string') throw new Error(`body ${showValue(body)}: a string is accepted`)
  const bytes = Buffer.byteLength(body)
  if (bytes > MAX_BODY_BYTES)
    throw new Error(`body of ${bytes} bytes: at most ${MAX_BODY_BYTES} are accepted`)
  return body
}
