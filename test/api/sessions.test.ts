import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApiToken } from '../../src/api/api-token.js'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { createTokens, openApiOf } from '../support/api.js'
import { createEnvironment } from '../support/environment.js'

let environment: SyncTestEnvironment

beforeAll(async () => {
  environment = await createEnvironment()
})
afterAll(() => environment.close())

const OWN = { 'sec-fetch-site': 'same-origin', 'x-requested-with': 'external-sync' }

test('a session may do what operate may, also an admin’s, for the page alone', async () => {
  const { tokens, tokenOf } = createTokens()
  const api = await openApiOf(environment, { tokens })

  for (const role of ['operate', 'admin'] as const) {
    const cookie = await signIn(api.url, tokenOf[role])
    expect(await statusOf(api.url, 'GET', '/v1/status', { cookie })).toBe(200)
    expect(await statusOf(api.url, 'POST', '/v1/endpoints/EMS/pause', { cookie, ...OWN })).toBe(404)
    expect(await statusOf(api.url, 'DELETE', '/v1/endpoints/EMS', { cookie, ...OWN })).toBe(403)
    expect(await statusOf(api.url, 'POST', '/v1/events', { cookie, ...OWN })).toBe(403)
  }
})

test('the cookie is HttpOnly, of this site and path, and Secure where the request came by TLS', async () => {
  const { tokens, tokenOf } = createTokens()
  const { url } = await openApiOf(environment, { tokens })

  const plain = await setCookieOf(url, tokenOf.operate)
  expect(plain).toMatch(/^external-sync-session=\S+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
  expect(plain).not.toContain(tokenOf.operate)
  const secure = await setCookieOf(url, tokenOf.operate, { 'x-forwarded-proto': 'https' })
  expect(secure).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
})

test.for<[what: string, headers: Record<string, string>]>([
  ['nothing about itself', {}],
  ['no header of the page', { 'sec-fetch-site': 'same-origin' }],
  ['another value of it', { 'sec-fetch-site': 'same-origin', 'x-requested-with': 'XMLHttpRequest' }],
  ['another site', { ...OWN, 'sec-fetch-site': 'cross-site' }],
  ['the same site on another port', { ...OWN, 'sec-fetch-site': 'same-site' }],
  ['no site, as if it was typed', { ...OWN, 'sec-fetch-site': 'none' }],
  ['another origin', { 'x-requested-with': 'external-sync', origin: 'http://evil.example' }],
  ['the origin null', { 'x-requested-with': 'external-sync', origin: 'null' }],
])('a change with a session that says %s is refused', async ([, headers]) => {
  const { tokens, tokenOf } = createTokens()
  const { url } = await openApiOf(environment, { tokens })
  const cookie = await signIn(url, tokenOf.operate)

  expect(await statusOf(url, 'POST', '/v1/endpoints/EMS/pause', { cookie, ...headers })).toBe(403)
  expect(await statusOf(url, 'DELETE', '/session', { cookie, ...headers })).toBe(403)
  expect(await statusOf(url, 'GET', '/v1/status', { cookie })).toBe(200)
})

test('an older browser proves the page by its origin, also behind TLS', async () => {
  const { tokens, tokenOf } = createTokens()
  const { url } = await openApiOf(environment, { tokens })
  const cookie = await signIn(url, tokenOf.operate)
  const { host } = new URL(url)

  for (const origin of [`http://${host}`, `https://${host}`]) {
    const headers = { cookie, origin, 'x-requested-with': 'external-sync' }
    expect(await statusOf(url, 'POST', '/v1/endpoints/EMS/pause', headers)).toBe(404)
  }
})

test('bearer tokens need no proof', async () => {
  const { tokens, tokenOf } = createTokens()
  const api = await openApiOf(environment, { tokens })

  expect(await api.call('POST', '/v1/endpoints/EMS/pause', { token: tokenOf.operate })).toMatchObject({
    status: 404,
  })
})

test('a session that was ended is over for whoever kept its cookie, and so is one that was made up', async () => {
  const { tokens, tokenOf } = createTokens()
  const { url } = await openApiOf(environment, { tokens })
  const [cookie, other] = [await signIn(url, tokenOf.operate), await signIn(url, tokenOf.operate)]

  expect(await statusOf(url, 'DELETE', '/session', { cookie, ...OWN })).toBe(204)
  expect(await statusOf(url, 'GET', '/v1/status', { cookie })).toBe(401)
  expect(await statusOf(url, 'GET', '/v1/status', { cookie: other })).toBe(200)

  const signed = decodeURIComponent(other.slice(other.indexOf('=') + 1))
  const value = signed.slice(0, signed.lastIndexOf('.'))
  const admin = value.replace(/^\d+/, '2')
  for (const made of [value, admin, `${admin}.${'A'.repeat(43)}`, '', '...'])
    expect(await statusOf(url, 'GET', '/v1/status', { cookie: `external-sync-session=${made}` })).toBe(401)
})

test('a session of another process is not known', async () => {
  const { tokens, tokenOf } = createTokens()
  const [one, other] = [await openApiOf(environment, { tokens }), await openApiOf(environment, { tokens })]
  const cookie = await signIn(one.url, tokenOf.operate)

  expect(await statusOf(one.url, 'GET', '/v1/status', { cookie })).toBe(200)
  expect(await statusOf(other.url, 'GET', '/v1/status', { cookie })).toBe(401)
})

test('tries to sign in are limited, also where nothing else is', async () => {
  const { tokens, tokenOf } = createTokens()
  const { url } = await openApiOf(environment, { tokens })
  const tries = await Promise.all(
    Array.from({ length: 30 }, () => post(url, '/session', { token: createApiToken('operate').token })),
  )

  expect(tries.filter(({ status }) => status === 401)).toHaveLength(20)
  expect(tries.filter(({ status }) => status === 429)).toHaveLength(10)
  expect(await (await post(url, '/session', { token: tokenOf.operate })).json()).toMatchObject({
    code: 'RATE_LIMITED',
    detail: expect.stringContaining('20 tries to sign in'),
  })
})

test('without tokens there is nothing to sign in to', async () => {
  const { url } = await openApiOf(environment)

  expect(await (await fetch(`${url}/session`)).json()).toEqual({ isNeeded: false, isThere: false })
  expect((await post(url, '/session', { token: 'x' })).status).toBe(405)
  expect((await fetch(`${url}/v1/status`)).status).toBe(200)
})

function post(url: string, path: string, body: object, headers: object = {}): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...OWN, ...headers },
    body: JSON.stringify(body),
  })
}

async function setCookieOf(url: string, token: string, headers: object = {}): Promise<string> {
  const response = await post(url, '/session', { token }, headers)
  expect(response.status).toBe(204)
  return response.headers.get('set-cookie') ?? ''
}

async function signIn(url: string, token: string): Promise<string> {
  const [cookie = ''] = (await setCookieOf(url, token)).split(';')
  return cookie
}

/** As fetch does not let anybody set these headers. */
function statusOf(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url + path, { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}
