import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { createTokens, openApiOf, type ApiAnswer, type ApiCall } from '../support/api.js'
import { createEnvironment } from '../support/environment.js'

let environment: SyncTestEnvironment

beforeAll(async () => {
  environment = await createEnvironment()
})
afterAll(() => environment.close())

/** What would have been asked of the store and of Temporal. */
let spies: { mock: { calls: unknown[] } }[]

beforeEach(() => {
  const { store, temporal } = environment
  spies = [
    ...(['put', 'update', 'setState', 'remove', 'get', 'list', 'history'] as const).map((name) =>
      vi.spyOn(store, name),
    ),
    ...(['start', 'getHandle', 'count', 'list'] as const).map((name) =>
      vi.spyOn(temporal.client.workflow, name),
    ),
  ]
  onTestFinished(() => void vi.restoreAllMocks())
})

function expectUntouched(): void {
  expect(spies.flatMap(({ mock }) => mock.calls)).toEqual([])
}

/** Which field it is depends on the route. */
const ANY = Symbol('any field')
const EVENT = { type: 'a.b', data: 1 }
const text = (body: string, type = 'application/json'): ApiCall => ({
  body,
  headers: { 'content-type': type },
})

describe.for<[method: string, path: string]>([
  ['POST', '/v1/events'],
  ['POST', '/v1/endpoints'],
  ['PUT', '/v1/endpoints/EMS'],
  ['PATCH', '/v1/endpoints/EMS'],
  ['POST', '/v1/events/a.b/x/deliveries/EMS/discard'],
])('%s %s', ([method, path]) => {
  test.for<[what: string, call: ApiCall, status: number, code: string, field: string | typeof ANY]>([
    ['no body', text(''), 422, 'INVALID_INPUT', ANY],
    ['no JSON', text('{"type":'), 400, 'MALFORMED_REQUEST', 'body'],
    ['a bare word', text('sEcReT'), 400, 'MALFORMED_REQUEST', 'body'],
    ['two values', text('{}{}'), 400, 'MALFORMED_REQUEST', 'body'],
    [
      '__proto__',
      text('{"type":"a.b","data":{"a":[{"__proto__":{"x":1}}]}}'),
      400,
      'MALFORMED_REQUEST',
      'body',
    ],
    ['an escaped __proto__', text('{"\\u005f_proto__":{"x":1}}'), 400, 'MALFORMED_REQUEST', 'body'],
    [
      'constructor.prototype',
      text('{"constructor":{"prototype":{"x":1}}}'),
      400,
      'MALFORMED_REQUEST',
      'body',
    ],
    ['a null', text('null'), 422, 'INVALID_INPUT', ANY],
    ['a number', text('1'), 422, 'INVALID_INPUT', ANY],
    ['a text', text('"sEcReT"'), 422, 'INVALID_INPUT', ANY],
    ['an unknown field', text('{"sort":1}'), 422, 'INVALID_INPUT', 'sort'],
    ['nothing but brackets', text('['.repeat(1_000_000)), 400, 'MALFORMED_REQUEST', 'body'],
    ['a text in its place', text('{}', 'text/plain'), 415, 'UNSUPPORTED_MEDIA_TYPE', 'content-type'],
    [
      'a form',
      text('a=1', 'application/x-www-form-urlencoded'),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'content-type',
    ],
    ['XML', text('<a/>', 'application/xml'), 415, 'UNSUPPORTED_MEDIA_TYPE', 'content-type'],
    [
      'a type that only begins so',
      text('{}', 'application/jsonx'),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'content-type',
    ],
    ['no type at all', text('{}', ''), 415, 'UNSUPPORTED_MEDIA_TYPE', 'content-type'],
    ['too large a body', text(`"${'x'.repeat(5 * 1024 * 1024)}"`), 413, 'BODY_TOO_LARGE', 'body'],
  ])('with %s is refused, naming it', async ([, call, status, code, field]) => {
    const api = await openApiOf(environment)

    const answer = await api.call(method, path, call)

    expect(answer).toMatchObject({ status, body: { status, code } })
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    const fields = answer.body.errors.map((problem: { field: string }) => problem.field)
    expect(fields).toContain(field === ANY ? fields[0] : field)
    for (const { accepted } of answer.body.errors) expect(accepted).toMatch(/\w/)
    expect(api.lines.join('')).not.toContain('sEcReT')
    expectUntouched()
  })

  test('with a body that is no UTF-8 is refused', async () => {
    const { url } = await openApiOf(environment)
    const body = Buffer.concat([
      Buffer.from('{"type":"a.b","data":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ])

    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      body,
    })

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ field: 'body', accepted: 'a body in UTF-8' }] })
    expectUntouched()
  })
})

describe('an event', () => {
  test.for<[field: string, call: ApiCall]>([
    ['type', { body: { data: 1 } }],
    ['type', { body: { ...EVENT, type: 'a/../b' } }],
    ['type', { body: { ...EVENT, type: 'external-sync.ping' } }],
    ['type', { body: { ...EVENT, type: 'error' } }],
    ['type', { body: { ...EVENT, type: ['a.b'] } }],
    ['data', { body: { type: 'a.b' } }],
    ['id', { body: { ...EVENT, id: '../x' } }],
    ['id', { body: { ...EVENT, id: 'x'.repeat(129) } }],
    ['key', { body: { ...EVENT, key: 'a"b' } }],
    ['time', { body: { ...EVENT, time: '2026-13-01T00:00:00Z' } }],
    ['time', { body: { ...EVENT, time: 1 } }],
    ['options', { body: { ...EVENT, options: {} } }],
    ['idempotency-key', { body: EVENT, headers: { 'idempotency-key': 'a/b' } }],
    ['data' + '[0]'.repeat(100), text(nestedEvent(101))],
    ['data' + '[0]'.repeat(100), text(nestedEvent(1_000_000))],
    ['data', { body: { ...EVENT, data: 'x'.repeat(300_000) } }],
    ['data.n', text('{"type":"a.b","data":{"n":1e999}}')],
  ])('whose %s is not accepted is refused, naming it', async ([field, call]) => {
    const api = await openApiOf(environment)

    const answer = await api.call('POST', '/v1/events', call)

    expect(answer).toMatchObject({ status: 422, body: { code: 'INVALID_INPUT', errors: [{ field }] } })
    expectUntouched()
  })

  test('of another JSON type without the headers of a CloudEvent is refused', async () => {
    const api = await openApiOf(environment)

    const answer = await api.call('POST', '/v1/events', text('{}', 'application/vnd.city+json'))

    expect(answer).toMatchObject({
      status: 415,
      body: { errors: [{ value: '"application/vnd.city+json"' }] },
    })
    expectUntouched()
  })
})

describe('a path', () => {
  test.for<[path: string, status: number, field?: string]>([
    ['/v1/endpoints/..%2f..%2fetc%2fpasswd', 422, 'name'],
    ['/v1/endpoints/%2e%2e', 422, 'name'],
    ['/v1/endpoints/.hidden', 422, 'name'],
    ['/v1/endpoints/a%00b', 422, 'name'],
    ['/v1/endpoints/a%0d%0aset-cookie:x', 422, 'name'],
    ['/v1/endpoints/__proto__', 422, 'name'],
    [`/v1/endpoints/${'x'.repeat(65)}`, 422, 'name'],
    [`/v1/endpoints/${'x'.repeat(500)}`, 414],
    ['/v1/endpoints/%', 400],
    ['/v1/endpoints/%c3%28', 400],
    ['/v1/events/a%2fb/x', 422, 'type'],
    ['/v1/events/a.b/..%2fx', 422, 'id'],
    ['/v1/nothing', 404],
    ['/v1', 404],
    ['//evil.example/v1/endpoints', 404],
  ])('%s is answered with %i', async ([path, status, field]) => {
    const api = await openApiOf(environment)

    const answer = await rawGet(api.url, path)

    expect(answer).toMatchObject({ status, body: { type: 'about:blank', status, code: expect.any(String) } })
    expect(answer.body.errors?.[0]?.field).toBe(field)
    expectUntouched()
  })

  test('with another method is answered with those that it has', async () => {
    const api = await openApiOf(environment)
    for (const [method, path, allow] of [
      ['DELETE', '/v1/events', 'GET, HEAD, POST'],
      ['DELETE', '/v1/endpoints', 'GET, HEAD, POST'],
      ['POST', '/v1/endpoints/EMS', 'DELETE, GET, HEAD, PATCH, PUT'],
      ['OPTIONS', '/v1/endpoints/EMS/pause', 'POST'],
      ['PATCH', '/healthz', 'GET, HEAD'],
    ] as const) {
      const answer = await api.call(method, path)
      expect(answer).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } })
      expect(answer.headers.get('allow')?.split(', ').toSorted().join(', ')).toBe(allow)
    }
    expectUntouched()
  })
})

test.for<[path: string, field: string]>([
  ['/v1/endpoints?sort=name', 'sort'],
  ['/v1/endpoints?__proto__=1', '__proto__'],
  ['/v1/endpoints/EMS?verbose', 'verbose'],
  ['/v1/endpoints/EMS/history?limit=0', 'limit'],
  ['/v1/endpoints/EMS/history?limit=1001', 'limit'],
  ['/v1/endpoints/EMS/history?limit=1&limit=2', 'limit'],
  ['/v1/endpoints/EMS/history?limit=NaN', 'limit'],
  ['/v1/endpoints/EMS/history?cursor=x', 'cursor'],
  ['/v1/events/a.b/x?limit=101', 'limit'],
  ['/v1/events/a.b/x?limit=', 'limit'],
  ['/v1/events/a.b/x?cursor=', 'cursor'],
  ['/v1/events/a.b/x?cursor=-1', 'cursor'],
])('the query of %s is refused for %s', async ([path, field]) => {
  const api = await openApiOf(environment)

  expect(await api.call('GET', path)).toMatchObject({
    status: 422,
    body: { code: 'INVALID_INPUT', errors: [{ field }] },
  })
  expectUntouched()
})

test.for(['yes', '', '1', 'true&discardWaiting=true'])('discardWaiting=%s is refused', async (value) => {
  const api = await openApiOf(environment)

  expect(await api.call('DELETE', `/v1/endpoints/EMS?discardWaiting=${value}`)).toMatchObject({
    status: 422,
    body: { errors: [{ field: 'discardWaiting' }] },
  })
  expectUntouched()
})

describe('a connection', () => {
  const head = 'POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'

  test.for<[what: string, bytes: string, status: number]>([
    ['no HTTP', 'sEcReT\r\n\r\n', 400],
    ['two lengths', `${head}content-length: 1\r\ncontent-length: 2\r\n\r\n1`, 400],
    ['a length and chunks', `${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [
      'a header of 20 KB',
      `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ['half a body', `${head}content-length: 100\r\n\r\n{`, 408],
    ['half a header', 'POST /v1/events HTTP/1.1\r\nhost: local', 408],
  ])('that brings %s is answered with a problem and closed', async ([, bytes, status]) => {
    const api = await openApiOf(environment, { requestTimeoutMs: 500 })

    const answer = await exchange(api.url, bytes)

    expect(answer).toContain(`HTTP/1.1 ${status} `)
    expect(answer).toContain('application/problem+json')
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ status, code: expect.any(String) })
    expectUntouched()
  })

  test('that brings no host is closed', async () => {
    const api = await openApiOf(environment)

    // Node's own answer, which no handler sees.
    expect(await exchange(api.url, 'GET /v1/endpoints HTTP/1.1\r\n\r\n')).toContain('HTTP/1.1 400 ')
    expectUntouched()
  })

  test('that never ends its body holds neither others up nor the stop', async () => {
    const api = await openApiOf(environment, { requestTimeoutMs: 60_000 })
    const { hostname, port } = new URL(api.url)
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connect(Number(port), hostname).on('error', () => undefined)
      socket.write(`${head}content-length: 100\r\n\r\n{`)
      return socket
    })
    onTestFinished(() => void sockets.map((socket) => socket.destroy()))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))

    const answer = await api.call('POST', '/v1/events', { body: EVENT })
    expect(answer).toMatchObject({ status: 202 })
    // Else the next test would see its endpoints being read.
    await environment.waitForDeliveries(answer.body)
  })
})

test('whoever may not call is refused without its body being read', async () => {
  const { tokens } = createTokens()
  const api = await openApiOf(environment, { tokens })

  const answer = await exchange(
    api.url,
    'POST /v1/events HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 999999999\r\n\r\n',
  )

  expect(answer).toContain('HTTP/1.1 401 ')
  expectUntouched()
})

/** Sends exactly this path, which `fetch` would normalise. */
async function rawGet(url: string, path: string): Promise<Pick<ApiAnswer, 'status' | 'body'>> {
  const answer = await exchange(url, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
  return { status: Number(answer.split(' ')[1]), body: JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) }
}

/** Sends bytes and reads until the server closes. */
async function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk) => (answer += chunk))
  socket.on('error', () => undefined)
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

function nestedEvent(depth: number): string {
  return `{"type":"a.b","data":${'['.repeat(depth)}${']'.repeat(depth)}}`
}
