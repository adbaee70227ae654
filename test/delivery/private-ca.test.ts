import type { ServerOptions } from 'node:https'
import type { ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { classify } from '../../src/delivery/classify.js'
import type { TlsSettings } from '../../src/domain/endpoint-auth.js'
import { parseEndpoint } from '../../src/domain/parse-endpoint.js'
import { attempt, openSender, openTlsServer, withResolvers } from '../support/attempts.js'
import { createAuthority, type Authority, type Certificate } from '../support/certificates.js'

const MISCONFIGURED = { kind: 'wait', reason: 'misconfigured' }

let authority: Authority
let otherAuthority: Authority
let server: Certificate
let client: Certificate

beforeAll(async () => {
  ;[authority, otherAuthority] = await Promise.all([createAuthority(), createAuthority()])
  ;[server, client] = await Promise.all([authority.issue('127.0.0.1'), authority.issue('external-sync')])
})
afterAll(async () => {
  await authority[Symbol.asyncDispose]()
  await otherAuthority[Symbol.asyncDispose]()
})

/** Answers with who the client is, and counts connections. */
async function openServer(options: ServerOptions = {}) {
  const peers: (string | undefined)[] = []
  const url = await openTlsServer({ cert: server.cert, key: server.key, ...options }, (request, response) => {
    const socket = request.socket as TLSSocket
    const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined
    peers.push(subject?.CN)
    request.resume().on('end', () => response.end())
  })
  return { url, peers }
}

describe('a private CA', () => {
  test('is trusted by the endpoint that names it, and by no other', async () => {
    const { url, peers } = await openServer()
    const sender = openSender()
    const tls = { ca: authority.cert }
    parseEndpoint('A', { url, tls })

    expect(await attempt(sender, { url, name: 'trusting', tls })).toMatchObject({
      kind: 'response',
      status: 200,
    })
    for (const other of [undefined, { ca: otherAuthority.cert }]) {
      const result = await attempt(sender, {
        url,
        name: 'other',
        version: String(other),
        ...(other && { tls: other }),
      })
      expect(result).toMatchObject({ kind: 'failure', code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
      expect(classify(result)).toEqual(MISCONFIGURED)
    }
    expect(peers).toHaveLength(1)
  })

  test('does not make up for a wrong host name', async () => {
    const { url } = await openServer(await authority.issue('other.example'))
    const result = await attempt(openSender(), { url, tls: { ca: authority.cert } })

    expect(result).toMatchObject({ kind: 'failure', code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    expect(classify(result)).toEqual(MISCONFIGURED)
  })

  test('does not make up for an expired certificate', async () => {
    const { url } = await openServer(await authority.issue('127.0.0.1', { expired: true }))
    const result = await attempt(openSender(), { url, tls: { ca: authority.cert } })

    expect(result).toMatchObject({ kind: 'failure', code: 'CERT_HAS_EXPIRED' })
    expect(classify(result)).toEqual(MISCONFIGURED)
  })

  test('is not replaced by what the environment says of verification', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      const { url, peers } = await openServer()
      expect(await attempt(openSender(), { url })).toMatchObject({ kind: 'failure' })
      expect(peers).toHaveLength(0)
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
  })
})

describe.each(['TLSv1.3', 'TLSv1.2'] as const)('mutual %s', (version) => {
  const mutual = (): ServerOptions => ({
    requestCert: true,
    rejectUnauthorized: true,
    ca: authority.cert,
    minVersion: version,
    maxVersion: version,
  })

  test('the server sees the endpoint’s certificate', async () => {
    const { url, peers } = await openServer(mutual())
    const tls = { ca: authority.cert, ...client }
    parseEndpoint('A', { url, tls })

    expect(await attempt(openSender(), { url, tls })).toMatchObject({ kind: 'response', status: 200 })
    expect(peers).toEqual(['external-sync'])
  })

  test('without a certificate nothing is delivered', async () => {
    const { url, peers } = await openServer(mutual())

    expect(await attempt(openSender(), { url, tls: { ca: authority.cert } })).toMatchObject({
      kind: 'failure',
    })
    expect(peers).toEqual([])
  })

  test('with the certificate of another authority nothing is delivered', async () => {
    const { url, peers } = await openServer(mutual())
    const tls = { ca: authority.cert, ...(await otherAuthority.issue('external-sync')) }

    expect(await attempt(openSender(), { url, tls })).toMatchObject({ kind: 'failure' })
    expect(peers).toEqual([])
  })

  test('one endpoint’s certificate never goes out for another of the same origin', async () => {
    const { url, peers } = await openServer({ ...mutual(), rejectUnauthorized: false })
    const sender = openSender()
    const ca = authority.cert
    await attempt(sender, { url, name: 'with', tls: { ca, ...client } })
    await attempt(sender, { url, name: 'without', tls: { ca } })

    expect(peers).toEqual(['external-sync', undefined])
  })
})

test.each(['CERTIFICATE_REQUIRED', 'BAD_CERTIFICATE', 'UNKNOWN_CA', 'CERTIFICATE_EXPIRED'])(
  'an alert that refuses our certificate is a misconfiguration: %s',
  (alert) => {
    for (const prefix of ['ERR_SSL_TLSV13_ALERT_', 'ERR_SSL_SSLV3_ALERT_', 'ERR_SSL_TLSV1_ALERT_']) {
      expect(classify({ kind: 'failure', code: prefix + alert, message: '' })).toEqual(MISCONFIGURED)
    }
  },
)

test('a key that is not the certificate’s is a misconfiguration, and nothing is shown of it', async () => {
  const { url } = await openServer()
  const { key } = await authority.issue('someone-else')
  const result = await attempt(openSender(), { url, tls: { cert: client.cert, key } })

  expect(result).toMatchObject({ kind: 'failure', code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' })
  expect(classify(result)).toEqual(MISCONFIGURED)
  expect(JSON.stringify(result)).not.toContain('BEGIN')
})

test('a new version of the certificates replaces the old one at once', async () => {
  const { url, peers } = await openServer({ requestCert: true, rejectUnauthorized: false })
  const sender = openSender()
  const renewed = await authority.issue('renewed')
  const versions: [string, TlsSettings][] = [
    ['v1', { ca: authority.cert, ...client }],
    ['v1', { ca: authority.cert, ...client }],
    ['v2', { ca: authority.cert, ...renewed }],
  ]
  for (const [version, tls] of versions) await attempt(sender, { url, version, tls })

  expect(peers).toEqual(['external-sync', 'external-sync', 'renewed'])
})

test('an attempt on the old version comes to its end', async () => {
  const responses: ServerResponse[] = []
  const arrived = [withResolvers(), withResolvers()]
  const url = await openTlsServer({ cert: server.cert, key: server.key }, (request, response) => {
    request.resume()
    arrived[responses.push(response) - 1]?.resolve()
  })
  const sender = openSender()
  const tls = { ca: authority.cert }
  const old = attempt(sender, { url, version: 'v1', tls })
  await arrived[0]?.promise
  const fresh = attempt(sender, { url, version: 'v2', tls })
  await arrived[1]?.promise
  for (const response of responses) response.end()

  expect(await old).toMatchObject({ status: 200 })
  expect(await fresh).toMatchObject({ status: 200 })
})
