import { expect, onTestFinished } from 'vitest'
import { createApiToken, type ApiRole } from '../../src/api/api-token.js'
import { loadConfig } from '../../src/config.js'
import { startServer, type ServerOptions } from '../../src/server.js'
import type { SyncTestEnvironment, SyncTestEnvironmentOptions } from '../../src/testing/index.js'
import { createContract, type Contract } from './api-contract.js'
import { openEnvironment } from './environment.js'
import { recordingLogger } from './recording-logger.js'

/** A request to the API. */
export interface ApiCall {
  token?: string
  headers?: Record<string, string>
  /** Sent as JSON, unless it is a string. */
  body?: unknown
}

/** What the API answered; it is as the document says. */
export interface ApiAnswer {
  status: number
  headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- what it holds is what the tests are about
  body: any
}

/** The HTTP API of a whole system. */
export interface Api {
  readonly url: string
  readonly environment: SyncTestEnvironment
  /** What it has logged. */
  readonly lines: readonly string[]
  readonly contract: Contract
  /** Calls it, and holds its answer to the document. */
  call(method: string, path: string, call?: ApiCall): Promise<ApiAnswer>
  stop(): Promise<void>
}

type ApiOptions = Partial<Omit<ServerOptions, 'logger'>> & { environment?: SyncTestEnvironmentOptions }

/** Starts a system and its API; both end with the test. */
export async function openApi({ environment: options, ...others }: ApiOptions = {}): Promise<Api> {
  const environment = await openEnvironment(options)
  return openApiOf(environment, others)
}

/** Starts an API of a system that is there; it ends with the test. */
export async function openApiOf(
  environment: SyncTestEnvironment,
  options: Omit<ApiOptions, 'environment'> = {},
): Promise<Api> {
  const { logger, lines } = recordingLogger()
  const server = await startServer({ service: environment.syncService, logger, ...options })
  onTestFinished(() => server.stop())
  const contract = createContract(await (await fetch(`${server.url}/openapi.json`)).json())
  return {
    url: server.url,
    environment,
    lines,
    contract,
    call: (method, path, call) => callApi({ url: server.url, contract }, method, path, call),
    stop: () => server.stop(),
  }
}

async function callApi(
  { url, contract }: Pick<Api, 'url' | 'contract'>,
  method: string,
  path: string,
  { token, headers = {}, body }: ApiCall = {},
): Promise<ApiAnswer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  const answer = {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  }
  expect(contract.problemsOf(method, path, answer)).toEqual([])
  return answer
}

/** A token of each role, and what the API knows of them. */
export function createTokens() {
  const created = (['emit', 'operate', 'admin'] as const).map((role) => ({ role, ...createApiToken(role) }))
  const tokenOf = Object.fromEntries(created.map(({ role, token }) => [role, token])) as Record<
    ApiRole,
    string
  >
  const { apiTokens: tokens } = loadConfig({ SYNC_API_TOKENS: created.map(({ entry }) => entry).join(',') })
  return { tokenOf, tokens }
}
