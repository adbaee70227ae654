import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { API_ROLES, createApiToken, type ApiRole } from '../../src/api/api-token.js'
import { startServer } from '../../src/server.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { createTokens, openApiOf, type Api } from '../support/api.js'
import { createEnvironment } from '../support/environment.js'
import { recordingLogger } from '../support/recording-logger.js'

let environment: SyncTestEnvironment

beforeAll(async () => {
  environment = await createEnvironment()
})
afterAll(() => environment.close())

/** What each role may do: `emit` and `operate` have nothing in common, and `admin` may do everything. */
const ALLOWED: Record<string, readonly ApiRole[]> = {
  emitEvents: ['emit', 'admin'],
  registerEndpoint: ['admin'],
  putEndpoint: ['admin'],
  updateEndpoint: ['admin'],
  removeEndpoint: ['admin'],
  rotateSigningSecret: ['admin'],
}
const OPERATE: readonly ApiRole[] = ['operate', 'admin']
const OPEN = ['getHealth', 'getReadiness']

describe('a token', () => {
  test('may do what its role may, of every operation that there is', async () => {
    const { tokenOf, tokens } = createTokens()
    const api = await openApiOf(environment, { tokens })

    for (const { method, path, operationId } of api.contract.operations) {
      for (const role of API_ROLES) {
        const { status, body, headers } = await callAny(api, method, path, { token: tokenOf[role] })
        const isAllowed = OPEN.includes(operationId) || (ALLOWED[operationId] ?? OPERATE).includes(role)
        expect([operationId, role, status === 403]).toEqual([operationId, role, !isAllowed])
        if (isAllowed) continue
        expect(body).toMatchObject({ status: 403, code: 'FORBIDDEN' })
        expect(headers.get('www-authenticate')).toBe(
          'Bearer realm="external-sync", error="insufficient_scope"',
        )
      }
    }
  })

  test('is who made a change, in the history of the endpoint', async () => {
    const { tokenOf, tokens = [] } = createTokens()
    const api = await openApiOf(environment, { tokens })
    const actorOf = (role: ApiRole): string =>
      `${role}:${tokens.find((token) => token.role === role)?.sha256.slice(0, 8)}`
    const admin = { token: tokenOf.admin }
    const path = '/v1/endpoints/Changed-By'

    await api.call('PUT', path, { ...admin, body: { url: 'https://ems.city.example/hook' } })
    await api.call('PATCH', path, { ...admin, body: { signingSecrets: null } })
    await api.call('POST', `${path}/rotate-secret`, admin)
    await api.call('POST', `${path}/pause`, { token: tokenOf.operate })
    await api.call('POST', `${path}/resume`, { token: tokenOf.operate })
    await api.call('DELETE', path, admin)

    const { body } = await api.call('GET', `${path}/history`, admin)
    expect(
      body.changes.map(({ action, actor }: Record<string, string>) => [action, actor]).toReversed(),
    ).toEqual([
      ['created', actorOf('admin')],
      ['updated', actorOf('admin')],
      ['paused', actorOf('operate')],
      ['resumed', actorOf('operate')],
      ['removed', actorOf('admin')],
    ])
  })

  test.for<[what: string, headersOf: (token: string) => Record<string, string>]>([
    ['none', () => ({})],
    ['another', () => ({ authorization: `Bearer ${createApiToken('admin').token}` })],
    ['a part of one', (token) => ({ authorization: `Bearer ${token.slice(0, -1)}` })],
    ['one and more', (token) => ({ authorization: `Bearer ${token}1` })],
    ['one without its scheme', (token) => ({ authorization: token })],
    ['one as a password', (token) => ({ authorization: `Basic ${btoa(`admin:${token}`)}` })],
    ['its hash', () => ({ authorization: `Bearer ${'0'.repeat(64)}` })],
  ])('is asked for where there is %s, before anything is read', async ([, headersOf]) => {
    const { tokenOf, tokens } = createTokens()
    const api = await openApiOf(environment, { tokens })

    for (const { method, path, isGuarded } of api.contract.operations) {
      if (!isGuarded) continue
      const { status, body, headers } = await callAny(api, method, path, {
        headers: { ...headersOf(tokenOf.admin), 'content-type': 'text/plain' },
      })
      expect(status).toBe(401)
      expect(body).toMatchObject({ code: 'UNAUTHENTICATED', errors: [{ field: 'authorization' }] })
      expect(headers.get('www-authenticate')).toBe('Bearer realm="external-sync"')
    }
  })

  test('is in no log line; its role and the beginning of its hash are', async () => {
    const { tokenOf, tokens = [] } = createTokens()
    const api = await openApiOf(environment, { tokens })

    await api.call('GET', '/v1/endpoints', { token: tokenOf.operate })

    const [, operate] = tokens
    expect(api.lines.map((line) => JSON.parse(line).caller)).toContain(
      `operate:${operate?.sha256.slice(0, 8)}`,
    )
    expect(api.lines.join('')).not.toContain(tokenOf.operate)
  })

  test('is refused beyond its rate alone, and is told when to come again', async () => {
    const { tokenOf, tokens } = createTokens()
    const api = await openApiOf(environment, { tokens, rateLimit: 5 })
    const call = (role: ApiRole) => api.call('GET', '/v1/endpoints', { token: tokenOf[role] })

    const answers = await Promise.all(Array.from({ length: 20 }, () => call('operate')))

    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(10)
    expect(refused[0]).toMatchObject({
      body: { code: 'RATE_LIMITED', detail: expect.stringContaining('at most 5') },
    })
    expect(refused[0]?.headers.get('retry-after')).toBe('1')
    expect(await call('admin')).toMatchObject({ status: 200 })
    expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200 })
    await expect.poll(async () => (await call('operate')).status, { timeout: 5_000 }).toBe(200)
  })
})

describe('without tokens', () => {
  test.for(['0.0.0.0', '::', '192.168.7.12', 'ems.city.example'])('it does not start on %s', async (ip) => {
    const { logger } = recordingLogger()
    await expect(startServer({ service: environment.syncService, logger, ip })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ field: 'SYNC_API_TOKENS', accepted: expect.stringContaining(`serve on ${ip}`) }],
    })
  })

  test('it serves on loopback, and the log says what that means', async () => {
    const { lines } = await openApiOf(environment)
    expect(lines.join('')).toContain('no SYNC_API_TOKENS: every program on this machine may do everything')
  })

  test.for<[what: string, headers: Record<string, string>]>([
    ['a page of another origin', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['a name that points here', { host: 'evil.example' }],
    ['an address that is not loopback', { host: '192.168.7.12:8080' }],
  ])('%s may do nothing', async ([, headers]) => {
    const api = await openApiOf(environment)
    for (const { method, path, isGuarded } of api.contract.operations) {
      if (!isGuarded) continue
      expect(await rawStatus(`${api.url}${path.replaceAll(/\{\w+\}/g, 'x')}`, method, headers)).toBe(403)
    }
  })

  test.for(['localhost', '127.0.0.1:1234', '[::1]:1234'])('%s is this machine', async (host) => {
    const { url } = await openApiOf(environment)
    expect(await rawStatus(`${url}/v1/endpoints`, 'GET', { host, origin: `http://${host}` })).toBe(200)
  })
})

test('with tokens it serves beyond loopback', async () => {
  const { tokens } = createTokens()
  const { logger } = recordingLogger()
  const server = await startServer({ service: environment.syncService, logger, ip: '0.0.0.0', tokens })
  onTestFinished(() => server.stop())
  const { port } = new URL(server.url)

  expect((await fetch(`http://127.0.0.1:${port}/v1/endpoints`)).status).toBe(401)
})

/** Calls an operation with nothing that it would accept, so that it does nothing. */
function callAny(api: Api, method: string, path: string, call: Parameters<Api['call']>[2]) {
  const isBodyless = method === 'GET' || method === 'DELETE'
  return api.call(method, path.replaceAll(/\{\w+\}/g, '~'), { ...(!isBodyless && { body: {} }), ...call })
}

/** As fetch does not let anybody set these headers. */
function rawStatus(url: string, method: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}
