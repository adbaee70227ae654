import { once } from 'node:events'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { classify } from '../../src/delivery/classify.js'
import type { AttemptResult } from '../../src/delivery/send.js'
import { startMessagingProgram } from '../support/messaging-program.js'
import { makeCertificate, type Certificate, type CertificateOptions } from './fixtures/certificates.js'
import { openSender, post } from './fixtures/deliveries.js'
import { startTcpServer } from './fixtures/tcp-server.js'

/** Weak on purpose, so that what refuses a certificate is the sender. */
const ANY_TLS: ServerOptions = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }

let folder: string
let trustedCa: Certificate
let unknownCa: Certificate

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'external-sync-certificates-'))
  trustedCa = await makeCertificate(folder, 'trusted-ca')
  unknownCa = await makeCertificate(folder, 'unknown-ca')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a certificate of a trusted authority for the right host is accepted', async () => {
  const url = await startTlsServer(await makeCertificate(folder, 'good', { signedBy: trustedCa }))

  expect(await postTrusting(url)).toEqual({ kind: 'response', status: 200 })
})

test.each<[title: string, options: () => CertificateOptions, code: string]>([
  ['is its own issuer', () => ({}), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['is of an unknown authority', () => ({ signedBy: unknownCa }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [
    'is for another host',
    () => ({ signedBy: trustedCa, altName: 'DNS:other.example' }),
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  ['has expired', () => ({ signedBy: trustedCa, isExpired: true }), 'CERT_HAS_EXPIRED'],
  ['is for clients', () => ({ signedBy: trustedCa, usage: 'clientAuth' }), 'INVALID_PURPOSE'],
  [
    'has a key that is too short',
    () => ({ signedBy: trustedCa, newKey: ['-newkey', 'rsa:768'] }),
    'UNSPECIFIED',
  ],
])('a certificate that %s makes the delivery wait as misconfigured', async (title, options, code) => {
  const url = await startTlsServer(await makeCertificate(folder, title.replaceAll(' ', '-'), options()))

  const result = await postTrusting(`${url}sEcReT?token=sEcReT`)

  expect(result).toMatchObject({ kind: 'failure', code })
  expect(classify(result)).toEqual({ kind: 'wait', reason: 'misconfigured' })
  expect(JSON.stringify(result)).not.toContain('sEcReT')
})

test('a chain that ends in an unknown authority makes the delivery wait as misconfigured', async () => {
  const leaf = await makeCertificate(folder, 'chained', { signedBy: unknownCa })
  const url = await startTlsServer({ ...leaf, cert: leaf.cert + unknownCa.cert })

  const result = await post(openSender(), url)

  expect(result).toMatchObject({ kind: 'failure', code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  expect(classify(result)).toEqual({ kind: 'wait', reason: 'misconfigured' })
})

test('nothing is sent before the certificate is verified', async () => {
  let requests = 0
  const url = await startTlsServer(await makeCertificate(folder, 'self-signed'), () => requests++)

  await post(openSender(), url)

  expect(requests).toBe(0)
})

test('a server that speaks no TLS is a network error and is tried again', async () => {
  const server = await startTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))

  const result = await post(openSender(), `https://127.0.0.1:${server.port}/`)

  expect(result).toMatchObject({ kind: 'failure', code: 'ERR_SSL_WRONG_VERSION_NUMBER' })
  expect(classify(result)).toEqual({ kind: 'retry' })
})

async function startTlsServer(
  { cert, key, options }: Certificate & { options?: ServerOptions },
  onRequest: () => void = () => undefined,
): Promise<string> {
  const server = createServer({ cert, key, ...ANY_TLS, ...options }, (request, response) => {
    onRequest()
    request.resume().on('end', () => response.end())
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** One attempt in a process that trusts `trustedCa`. */
async function postTrusting(url: string): Promise<AttemptResult> {
  const program = startMessagingProgram(new URL('fixtures/post-each.ts', import.meta.url), [url], {
    NODE_EXTRA_CA_CERTS: trustedCa.file,
  })
  return (await program.next()) as AttemptResult
}
