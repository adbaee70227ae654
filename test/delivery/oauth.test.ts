import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { classify } from '../../src/delivery/classify.js'
import type { OAuth2Auth } from '../../src/domain/endpoint-auth.js'
import { DEFAULT_ATTEMPT_LIMITS } from '../../src/domain/attempt-limits.js'
import { freePort } from '../support/free-port.js'
import { attempt, openReceiver, openSender, openServer, openTcpServer } from '../support/attempts.js'

interface TokenRequest {
  authorization: string | undefined
  form: URLSearchParams
}

interface TokenServer {
  auth: OAuth2Auth
  requests: TokenRequest[]
  /** Answers the next requests, each once, before tokens are issued again. */
  answerOnce: (...answers: ((response: ServerResponse) => void)[]) => void
}

/** Issues `token-1`, `token-2`, … to client `sync` by its secret. */
async function openTokenServer(expiresIn: number | undefined = 3600): Promise<TokenServer> {
  const requests: TokenRequest[] = []
  const answers: ((response: ServerResponse) => void)[] = []
  const url = await openServer(
    (request: IncomingMessage, response: ServerResponse) => void issue(request, response),
  )
  const issue = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests.push({
      authorization: request.headers.authorization,
      form: new URLSearchParams(await text(request)),
    })
    const answer = answers.shift()
    if (answer !== undefined) return answer(response)
    json(200, { access_token: `token-${requests.length}`, token_type: 'Bearer', expires_in: expiresIn })(
      response,
    )
  }
  return {
    auth: { type: 'oauth2', tokenUrl: `${url}token`, clientId: 'sync', clientSecret: 'sEcReT+/ ü' },
    requests,
    answerOnce: (...more) => void answers.push(...more),
  }
}

function json(status: number, body: unknown) {
  return (response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const status =
  (code: number) =>
  (response: ServerResponse): void =>
    void response.writeHead(code).end('<html>')

describe('the token request', () => {
  test('is that of RFC 6749, section 4.4, with the secret form-encoded in Basic', async () => {
    const receiver = await openReceiver()
    const { auth, requests } = await openTokenServer()

    const settings = { url: receiver.url, auth: { ...auth, scope: 'a b', audience: 'https://ems.example' } }
    expect(await attempt(openSender(), settings)).toMatchObject({ status: 200 })

    expect(Object.fromEntries(requests[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope: 'a b',
      audience: 'https://ems.example',
    })
    const credentials = Buffer.from(
      requests[0]?.authorization?.replace('Basic ', '') ?? '',
      'base64',
    ).toString()
    expect(credentials).toBe('sync:sEcReT%2B%2F+%C3%BC')
    expect(receiver.requests[0]?.headers.authorization).toBe('Bearer token-1')
  })

  test.each([
    ['HTTP 401', json(401, { error: 'invalid_client' })],
    ['HTTP 400', json(400, { error: 'invalid_client' })],
    [
      'a challenge',
      (response: ServerResponse) => void response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
    ],
  ])('comes with the secret in its body where the server refuses the client: %s', async (_title, refusal) => {
    const receiver = await openReceiver()
    const { auth, requests, answerOnce } = await openTokenServer()
    answerOnce(refusal)

    expect(await attempt(openSender(), { url: receiver.url, auth })).toMatchObject({ status: 200 })

    expect(requests).toHaveLength(2)
    expect(requests[1]?.authorization).toBeUndefined()
    expect(Object.fromEntries(requests[1]?.form ?? [])).toMatchObject({
      client_id: 'sync',
      client_secret: 'sEcReT+/ ü',
    })
  })
})

describe('a token', () => {
  test('is used until shortly before it expires, then renewed', async () => {
    const receiver = await openReceiver()
    const { auth, requests } = await openTokenServer(3600)
    let now = Date.parse('2026-01-01T00:00:00Z')
    const sender = openSender({ now: () => new Date(now) })
    const attemptAfter = async (ms: number): Promise<void> => {
      now += ms
      await attempt(sender, { url: receiver.url, auth })
    }

    await attemptAfter(0)
    await attemptAfter(3_600_000 - 30_000 - 1)
    expect(requests).toHaveLength(1)
    await attemptAfter(1)
    expect(requests).toHaveLength(2)
    expect(receiver.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-1',
      'Bearer token-2',
    ])
  })

  test('of a short life is renewed at nine tenths of it', async () => {
    const receiver = await openReceiver()
    const { auth, requests } = await openTokenServer(10)
    let now = 0
    const sender = openSender({ now: () => new Date(now) })
    for (now of [0, 8_999, 9_000]) await attempt(sender, { url: receiver.url, auth })

    expect(requests).toHaveLength(2)
  })

  test('without an expiry is used for an hour', async () => {
    const receiver = await openReceiver()
    const { auth, requests, answerOnce } = await openTokenServer()
    answerOnce(json(200, { access_token: 'eternal', token_type: 'bearer' }))
    let now = 0
    const sender = openSender({ now: () => new Date(now) })
    for (now of [0, 3_500_000, 3_600_000]) await attempt(sender, { url: receiver.url, auth })

    expect(requests).toHaveLength(2)
  })

  test('is asked for once by fifty attempts at the same time', async () => {
    const receiver = await openReceiver()
    const { auth, requests } = await openTokenServer()
    const sender = openSender()

    const results = await Promise.all(
      Array.from({ length: 50 }, () => attempt(sender, { url: receiver.url, auth })),
    )

    expect(results.every((result) => result.kind === 'response' && result.status === 200)).toBe(true)
    expect(requests).toHaveLength(1)
    expect(new Set(receiver.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set(['Bearer token-1']),
    )
  })

  test('belongs to one version of one endpoint', async () => {
    const receiver = await openReceiver()
    const { auth, requests } = await openTokenServer()
    const sender = openSender()
    for (const version of ['v1', 'v1', 'v2', 'v2'])
      await attempt(sender, { url: receiver.url, auth, version })
    await attempt(sender, { url: receiver.url, auth, name: 'Hospital', version: 'v2' })

    expect(requests).toHaveLength(3)
  })
})

describe('a 401 of the receiver', () => {
  test('renews the token once, and the request goes out again', async () => {
    const receiver = await openReceiver(401, 200)
    const { auth, requests } = await openTokenServer()

    expect(await attempt(openSender(), { url: receiver.url, auth })).toMatchObject({
      kind: 'response',
      status: 200,
    })

    expect(requests).toHaveLength(2)
    expect(receiver.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ])
    expect(receiver.requests[0]?.text).toBe(receiver.requests[1]?.text)
  })

  test('counts when the renewed token gets one as well', async () => {
    const receiver = await openReceiver((request, response) => {
      response.writeHead(401).end(`bad token ${request.headers.authorization}, not token-1`)
    })
    const { auth, requests } = await openTokenServer()

    const result = await attempt(openSender(), { url: receiver.url, auth })

    expect(result).toMatchObject({ status: 401, excerpt: 'bad token Bearer [redacted], not [redacted]' })
    expect(classify(result)).toEqual({ kind: 'wait', reason: 'misconfigured' })
    expect(receiver.requests).toHaveLength(2)
    expect(requests).toHaveLength(2)
  })

  test('for fifty attempts at once renews once', async () => {
    const receiver = await openReceiver((request, response) => {
      response.writeHead(request.headers.authorization === 'Bearer token-1' ? 401 : 200).end()
    })
    const { auth, requests } = await openTokenServer()
    const sender = openSender()

    const results = await Promise.all(
      Array.from({ length: 50 }, () => attempt(sender, { url: receiver.url, auth })),
    )

    expect(results.every((result) => result.kind === 'response' && result.status === 200)).toBe(true)
    expect(requests).toHaveLength(2)
  })
})

describe('trouble that passes is tried again', () => {
  test.each([
    ['HTTP 500', status(500), 'answered HTTP 500'],
    ['HTTP 503', status(503), 'answered HTTP 503'],
    ['HTTP 429', status(429), 'answered HTTP 429'],
    [
      'a broken answer',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': '99' }).write('{')
        setTimeout(() => response.destroy(), 20)
      },
      'did not finish its answer',
    ],
    [
      'an endless answer',
      (response: ServerResponse) => {
        const fill = (): void => {
          while (!response.destroyed && response.write(' '.repeat(10_000)));
        }
        response.writeHead(200, { 'content-type': 'application/json' }).on('drain', fill)
        fill()
      },
      'did not finish its answer',
    ],
    ['no answer', (response: ServerResponse) => void response.socket?.destroy(), 'the connection was closed'],
  ])('%s', async (_title, answer, message) => {
    const receiver = await openReceiver()
    const { auth, answerOnce } = await openTokenServer()
    answerOnce(answer)
    const sender = openSender()

    const result = await attempt(sender, { url: receiver.url, auth })

    expect(result).toMatchObject({ code: 'OAUTH_UNAVAILABLE', message: expect.stringContaining(message) })
    expect(result).toHaveProperty(
      'message',
      expect.stringContaining(`the token server ${new URL(auth.tokenUrl).origin}`),
    )
    expect(classify(result)).toEqual({ kind: 'retry' })
    expect(receiver.requests).toHaveLength(0)
    expect(await attempt(sender, { url: receiver.url, auth })).toMatchObject({ status: 200 })
  })

  test('a token server that is down', async () => {
    const { auth } = await openTokenServer()
    const down = { ...auth, tokenUrl: `http://127.0.0.1:${await freePort()}/token` }

    expect(await attempt(openSender(), { url: 'http://127.0.0.1:9/', auth: down })).toMatchObject({
      code: 'OAUTH_UNAVAILABLE',
      message: `the token server ${new URL(down.tokenUrl).origin}: the connection was refused (ECONNREFUSED)`,
    })
  })

  test('a token server that says nothing; the attempt’s own time limit comes first', async () => {
    const port = await openTcpServer(() => undefined)
    const { auth } = await openTokenServer()
    const silent = { ...auth, tokenUrl: `http://127.0.0.1:${port}/token` }
    const sender = openSender({
      limits: { ...DEFAULT_ATTEMPT_LIMITS, totalTimeoutMs: 400, headersTimeoutMs: 60_000 },
    })

    const impatient = { url: 'http://127.0.0.1:9/', auth: silent, attemptTimeoutMs: 100 }
    expect(await attempt(sender, impatient)).toMatchObject({ code: 'ATTEMPT_TIMEOUT' })
    expect(await attempt(sender, { ...impatient, attemptTimeoutMs: 5_000 })).toMatchObject({
      code: 'OAUTH_UNAVAILABLE',
      message: expect.stringContaining('no response within the time limit'),
    })
  })

  test('one attempt that is stopped leaves the token to the others', async () => {
    const receiver = await openReceiver()
    const { auth, requests, answerOnce } = await openTokenServer()
    answerOnce(
      (response) =>
        void setTimeout(() => json(200, { access_token: 't', token_type: 'bearer' })(response), 200),
    )
    const sender = openSender()

    const stopped = attempt(sender, { url: receiver.url, auth, attemptTimeoutMs: 100 })
    const other = attempt(sender, { url: receiver.url, auth })

    expect(await stopped).toMatchObject({ code: 'ATTEMPT_TIMEOUT' })
    expect(await other).toMatchObject({ status: 200 })
    expect(requests).toHaveLength(1)
  })
})

describe('a refusal makes the delivery wait as misconfigured, and shows no secret', () => {
  const echo = 'sEcReT+/ ü token-0'
  test.each([
    [
      'invalid_scope',
      json(400, { error: 'invalid_scope', error_description: echo }),
      'answered HTTP 400 (invalid_scope)',
    ],
    ['an unknown code', json(400, { error: echo }), 'answered HTTP 400'],
    ['no JSON', status(403), 'answered HTTP 403'],
    ['not found', status(404), 'answered HTTP 404'],
    ['a redirect', status(302), 'answered HTTP 302'],
    ['an HTML page', status(200), 'did not answer with a bearer token'],
    ['no token', json(200, { token_type: 'bearer', echo }), 'did not answer with a bearer token'],
    [
      'another kind of token',
      json(200, { access_token: echo, token_type: 'mac' }),
      'did not answer with a bearer token',
    ],
    [
      'a DPoP token',
      json(200, { access_token: echo, token_type: 'dpop' }),
      'did not answer with a bearer token',
    ],
  ])('%s', async (_title, answer, message) => {
    const receiver = await openReceiver()
    const { auth, answerOnce } = await openTokenServer()
    answerOnce(answer)

    const result = await attempt(openSender(), { url: receiver.url, auth })

    expect(result).toEqual({
      kind: 'failure',
      code: 'OAUTH_REFUSED',
      message: `the token server ${new URL(auth.tokenUrl).origin} ${message}`,
    })
    expect(classify(result)).toEqual({ kind: 'wait', reason: 'misconfigured' })
    expect(receiver.requests).toHaveLength(0)
  })

  test('a client that is refused in both ways', async () => {
    const { auth, requests, answerOnce } = await openTokenServer()
    const refusal = json(401, { error: 'invalid_client' })
    answerOnce(refusal, refusal)

    expect(await attempt(openSender(), { url: 'http://127.0.0.1:9/', auth })).toMatchObject({
      code: 'OAUTH_REFUSED',
      message: expect.stringContaining('answered HTTP 401 (invalid_client)'),
    })
    expect(requests).toHaveLength(2)
  })

  test('a token that no header can hold', async () => {
    const { auth, answerOnce } = await openTokenServer()
    answerOnce(json(200, { access_token: 'sEcReT\r\nx: y', token_type: 'bearer' }))
    const receiver = await openReceiver()

    const result = await attempt(openSender(), { url: receiver.url, auth })

    expect(result).toMatchObject({ kind: 'failure', code: 'OAUTH_REFUSED' })
    expect(JSON.stringify(result)).not.toContain('sEcReT')
    expect(receiver.requests).toHaveLength(0)
  })
})
