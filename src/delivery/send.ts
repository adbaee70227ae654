import type { LookupFunction } from 'node:net'
import { DEFAULT_ATTEMPT_LIMITS, type AttemptLimits } from '../domain/attempt-limits.js'
import type { Endpoint } from '../domain/endpoint.js'
import type { SyncEvent } from '../domain/event.js'
import { createAddressGuard } from './address-guard.js'
import { toFailure } from './attempt-failure.js'
import type { AttemptResult } from './attempt-result.js'
import { createAccessTokens } from './auth/access-tokens.js'
import { requestToken } from './auth/request-token.js'
import { Cancellation, cancellationBy } from './cancellation.js'
import { completeRequest } from './complete-request.js'
import type { TlsConnection } from './guarded-connect.js'
import { createConnectionsPool } from './connections.js'
import type { Connector } from './connectors/connector.js'
import { createConversion } from './connectors/conversion.js'
import { excerptOf } from './excerpt.js'
import { exchange, type HttpResponse } from './exchange.js'
import { secretsOf } from './secrets.js'
import { traceAttempt } from '../tracing/attempt-span.js'
import { limitTime } from './time-limit.js'

export type { AttemptResult } from './attempt-result.js'

/** How long the body of an answer may take whose status has decided, in milliseconds. */
const BODY_GRACE_MS = 2_000

const TIMED_OUT = new Error('the time limit of the attempt has passed')

/** Makes attempts over a pool of kept-alive connections for each origin. */
export interface Sender {
  /**
   * Sends the event once. Redirects are not followed.
   * @param signal stops the attempt, which then rejects with the signal's reason unless its status is known
   * @param limitMs a shorter time than the endpoint gives it, in milliseconds
   */
  send(endpoint: Endpoint, event: SyncEvent, signal: AbortSignal, limitMs?: number): Promise<AttemptResult>
  close(): Promise<void>
}

export interface SenderOptions {
  /** @default {@link DEFAULT_ATTEMPT_LIMITS} */
  limits?: AttemptLimits
  /** Networks that may be reached although they are not public, as `parseNetworks` reads them. @default none */
  allowNetworks?: readonly string[]
  /** What endpoints may name as their connector. @default none */
  connectors?: readonly Connector[]
  /** @default the system's clock */
  now?: () => Date
  /** Whether a success has an excerpt too. @default false */
  excerptsOfSuccess?: boolean
  /** Told of each TLS connection that was made. */
  onTlsConnection?: (connection: TlsConnection) => void
  /** How host names are looked up. @default the system's */
  lookup?: LookupFunction
}

/** @throws {InvalidInputError} on a network that is none, or two connectors of one name */
export function createSender({
  limits = DEFAULT_ATTEMPT_LIMITS,
  allowNetworks = [],
  connectors = [],
  now = () => new Date(),
  excerptsOfSuccess = false,
  onTlsConnection,
  lookup,
}: SenderOptions = {}): Sender {
  const guard = createAddressGuard(allowNetworks)
  const conversion = createConversion(connectors)
  const connections = createConnectionsPool({ limits, guard, lookup, onTlsConnection })
  const tokens = createAccessTokens({ request: requestAccessToken, now })

  return {
    send: (endpoint, event, signal, limitMs) =>
      traceAttempt(endpoint, event, (traced) => attempt(endpoint, traced, signal, limitMs)),
    close: async () => void (await Promise.all([connections.close(), conversion.close()])),
  }

  async function attempt(
    endpoint: Endpoint,
    event: SyncEvent,
    signal: AbortSignal,
    limitMs = Infinity,
  ): Promise<AttemptResult> {
    signal.throwIfAborted()
    const timeoutMs = Math.min(endpoint.attemptTimeoutMs ?? limits.totalTimeoutMs, limitMs)
    const cancellation = new Cancellation()
    const endLimit = limitTime(timeoutMs, () => cancellation.cancel(TIMED_OUT))
    const ignoreSignal = cancellationBy(signal).onCancelled((reason) => cancellation.cancel(reason))
    try {
      return await deliver(endpoint, event, cancellation)
    } catch (error) {
      signal.throwIfAborted()
      if (cancellation.reason !== undefined) {
        return { kind: 'failure', code: 'ATTEMPT_TIMEOUT', message: `no response within ${timeoutMs} ms` }
      }
      return toFailure(error)
    } finally {
      endLimit()
      ignoreSignal()
    }
  }

  async function deliver(
    endpoint: Endpoint,
    event: SyncEvent,
    cancellation: Cancellation,
  ): Promise<AttemptResult> {
    const request = await cancellation.until(conversion.toRequest(event, endpoint))
    const transmit = (accessToken?: string): Promise<HttpResponse> =>
      exchange(connections.of(endpoint), completeRequest(request, endpoint, event, now(), accessToken), {
        headersTimeoutMs: endpoint.attemptTimeoutMs ?? limits.headersTimeoutMs,
        bodyGraceMs: conversion.readsAnswers(endpoint) ? undefined : BODY_GRACE_MS,
        cancellation,
      })

    if (endpoint.auth?.type !== 'oauth2') return toResult(endpoint, await transmit())
    const token = await cancellation.until(tokens.get(endpoint))
    const response = await transmit(token)
    if (response.status !== 401) return toResult(endpoint, response, token)
    tokens.forget(endpoint, token)
    const renewed = await cancellation.until(tokens.get(endpoint))
    return toResult(endpoint, await transmit(renewed), token, renewed)
  }

  function toResult(endpoint: Endpoint, response: HttpResponse, ...accessTokens: string[]): AttemptResult {
    const { status, headers, firstByteMs } = response
    const verdict = conversion.classify(response, endpoint)
    const retryAfter = headers['retry-after']
    const isSuccess = verdict === undefined ? status >= 200 && status < 300 : verdict.kind === 'delivered'
    const isShown = !isSuccess || excerptsOfSuccess
    const excerpt = !isShown ? undefined : excerptOf(response, [...secretsOf(endpoint), ...accessTokens])
    return {
      kind: 'response',
      status,
      timing: { firstByteMs },
      ...(typeof retryAfter === 'string' && { retryAfter }),
      ...(excerpt !== undefined && { excerpt }),
      ...(verdict !== undefined && { verdict }),
    }
  }

  /** Shared by the attempts that wait for it, so that none of their signals ends it. */
  async function requestAccessToken(endpoint: Endpoint) {
    const { auth } = endpoint
    if (auth?.type !== 'oauth2') throw new TypeError(`endpoint ${endpoint.name} has no OAuth 2.0 settings`)
    const cancellation = cancellationBy(AbortSignal.timeout(limits.totalTimeoutMs))
    return requestToken(auth, (request) =>
      exchange(connections.of(endpoint), request, {
        headersTimeoutMs: limits.headersTimeoutMs,
        cancellation,
      }),
    )
  }
}
