import {
  allowInsecureRequests,
  clientCredentialsGrantRequest,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  processClientCredentialsResponse,
  type ClientAuth,
} from 'oauth4webapi'
import type { OAuth2Auth } from '../../domain/endpoint-auth.js'
import { AttemptError } from '../attempt-result.js'
import { toFailure } from '../attempt-failure.js'
import { classify } from '../classify.js'
import type { HttpRequest, HttpResponse } from '../exchange.js'

/** RFC 6750, section 2.1, and whatever else a header can hold. */
const BEARER_TOKEN = /^[\x21-\x7e]{1,16384}$/

/** What an authorization server has issued. */
export interface AccessToken {
  value: string
  /** How long it is good for, in milliseconds; undefined where the server did not say. */
  lifetimeMs?: number
}

/** Sends one request, over the endpoint's guarded connections. */
export type Exchange = (request: HttpRequest) => Promise<HttpResponse>

/**
 * Asks for a token by client credentials (RFC 6749, section 4.4). The secret goes in the `Authorization` header,
 * which servers must support, and in the body where one says that it does not know the client (section 2.3.1).
 * @throws {AttemptError} that says what the server answered, and no secret
 */
export async function requestToken(auth: OAuth2Auth, exchange: Exchange): Promise<AccessToken> {
  const response = await grantRequest(auth, ClientSecretBasic(auth.clientSecret), exchange)
  if (!(await refusesClient(response))) return readToken(auth, response)
  return readToken(auth, await grantRequest(auth, ClientSecretPost(auth.clientSecret), exchange))
}

async function grantRequest(auth: OAuth2Auth, clientAuth: ClientAuth, exchange: Exchange): Promise<Response> {
  const { tokenUrl, clientId, scope, audience } = auth
  const parameters = new URLSearchParams({
    ...(scope !== undefined && { scope }),
    ...(audience !== undefined && { audience }),
  })
  return clientCredentialsGrantRequest(serverOf(auth), { client_id: clientId }, clientAuth, parameters, {
    // Whether plain http may be used is the address guard's to say.
    [allowInsecureRequests]: true,
    [customFetch]: async (url, { method, headers, body }) => {
      const response = await exchange({ url: new URL(url), method, headers, body: String(body) }).catch(
        (error: unknown) => {
          throw unreachable(tokenUrl, error)
        },
      )
      return toResponse(tokenUrl, response)
    },
  })
}

/** @throws {AttemptError} on an answer that another attempt may well not meet, or that was not read to its end */
function toResponse(tokenUrl: string, { status, headers, body, isComplete }: HttpResponse): Response {
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    throw new AttemptError('OAUTH_UNAVAILABLE', `${serverName(tokenUrl)} answered HTTP ${status}`)
  }
  if (!isComplete)
    throw new AttemptError('OAUTH_UNAVAILABLE', `${serverName(tokenUrl)} did not finish its answer`)
  const contentType = headers['content-type']
  return new Response(status === 204 || status === 304 ? null : body, {
    status,
    headers: typeof contentType === 'string' ? { 'content-type': contentType } : {},
  })
}

async function refusesClient(response: Response): Promise<boolean> {
  return response.status === 401 || (await errorCodeOf(response)) === 'invalid_client'
}

/** @throws {AttemptError} on anything but a bearer token (RFC 6749, section 5.1; RFC 6750) */
async function readToken(auth: OAuth2Auth, response: Response): Promise<AccessToken> {
  const { status } = response
  const code = await errorCodeOf(response)
  try {
    const answer = await processClientCredentialsResponse(
      serverOf(auth),
      { client_id: auth.clientId },
      response,
    )
    if (answer.token_type !== 'bearer' || !BEARER_TOKEN.test(answer.access_token))
      throw new Error('no bearer token')
    return {
      value: answer.access_token,
      ...(answer.expires_in !== undefined && { lifetimeMs: answer.expires_in * 1_000 }),
    }
  } catch {
    // The library's error holds the answer, of which no more than the registered error code is shown.
    const answered = status === 200 ? 'did not answer with a bearer token' : `answered HTTP ${status}`
    throw new AttemptError(
      'OAUTH_REFUSED',
      `${serverName(auth.tokenUrl)} ${answered}${code === undefined ? '' : ` (${code})`}`,
    )
  }
}

/** RFC 6749, section 5.2; a code of another shape is not shown. */
async function errorCodeOf(response: Response): Promise<string | undefined> {
  if (response.status < 400) return undefined
  try {
    const answer: unknown = await response.clone().json()
    const code = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined
    return KNOWN_ERROR_CODES.find((known) => known === code)
  } catch {
    return undefined
  }
}

const KNOWN_ERROR_CODES = (
  'invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope ' +
  'invalid_target access_denied'
).split(' ')

/** What no new attempt can cure keeps its code; anything else is trouble that passes. */
function unreachable(tokenUrl: string, error: unknown): Error {
  const failure = toFailure(error)
  if (error instanceof AttemptError) return error
  const message = `${serverName(tokenUrl)}: ${failure.message} (${failure.code})`
  return new AttemptError(classify(failure).kind === 'wait' ? 'OAUTH_REFUSED' : 'OAUTH_UNAVAILABLE', message)
}

function serverOf({ tokenUrl }: OAuth2Auth) {
  return { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl }
}

function serverName(tokenUrl: string): string {
  return `the token server ${new URL(tokenUrl).origin}`
}
