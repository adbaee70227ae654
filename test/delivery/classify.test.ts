import { describe, expect, test } from 'vitest'
import { classify, type Verdict } from '../../src/delivery/classify.js'

const delivered: Verdict = { kind: 'delivered' }
const retry: Verdict = { kind: 'retry' }
const misconfigured: Verdict = { kind: 'wait', reason: 'misconfigured' }
const rejected: Verdict = { kind: 'wait', reason: 'rejected' }

/** The rows of the table in the design notes, with the statuses on both sides of each boundary. */
const ROWS: [title: string, verdict: Verdict, statuses: number[]][] = [
  ['any 2xx means delivered', delivered, [200, 201, 202, 203, 204, 205, 206, 226, 299]],
  ['a redirect is a wrong URL', misconfigured, [300, 301, 302, 303, 304, 307, 308, 399]],
  ['refused credentials are a misconfiguration', misconfigured, [401, 403]],
  ['a place or method that does not exist is a misconfiguration', misconfigured, [404, 405, 410]],
  ['a request that took too long, came too early or too often is tried again', retry, [408, 425, 429]],
  ['a refused payload is a rejection of this event', rejected, [400, 413, 415, 422]],
  [
    'any other 4xx is a rejection of this event',
    rejected,
    [402, 406, 407, 409, 411, 412, 414, 416, 417, 418, 421, 423, 424, 426, 428, 430, 431, 451, 499],
  ],
  ['any 5xx is tried again', retry, [500, 501, 502, 503, 504, 505, 507, 511, 520, 529, 599]],
  ['a status of no class is tried again', retry, [100, 103, 199, 600, 999]],
]

describe.each(ROWS)('%s', (_title, verdict, statuses) => {
  test.each(statuses)('HTTP %i', (status) => {
    expect(classify({ kind: 'response', status })).toEqual(verdict)
  })
})

test('Retry-After changes when a delivery is tried again, not whether', () => {
  expect(classify({ kind: 'response', status: 503, retryAfter: '7' })).toEqual(retry)
  expect(classify({ kind: 'response', status: 400, retryAfter: '7' })).toEqual(rejected)
  expect(classify({ kind: 'response', status: 202, retryAfter: '7' })).toEqual(delivered)
})

test.each([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'EPROTO',
  'ATTEMPT_TIMEOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_OVERFLOW',
  'HTTPParserError',
  'HPE_INVALID_CONSTANT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'UNKNOWN',
])('a network error is tried again: %s', (code) => {
  expect(classify({ kind: 'failure', code, message: '' })).toEqual(retry)
})

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes, and Node's own check of the host name. */
test.each([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CRL_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
  'CRL_HAS_EXPIRED',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'INVALID_CA',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_PURPOSE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'HOSTNAME_MISMATCH',
  'UNSPECIFIED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
])('a certificate that cannot be verified is a misconfiguration: %s', (code) => {
  expect(classify({ kind: 'failure', code, message: '' })).toEqual(misconfigured)
})
