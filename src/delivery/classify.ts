import type { AttemptErrorCode, AttemptResult, Verdict } from './attempt-result.js'

export type { Verdict } from './attempt-result.js'

/** Client errors that a later attempt may well not meet again (RFC 9110, RFC 8470, RFC 6585). */
const PASSING_STATUSES = new Set([408, 425, 429])
/** Statuses that say the request went to the wrong place or with the wrong credentials. */
const MISCONFIGURED_STATUSES = new Set([401, 403, 404, 405, 410])
/** What only another configuration can cure. */
const MISCONFIGURED_CODES: ReadonlySet<string> = new Set<AttemptErrorCode>([
  'ADDRESS_GUARDED',
  'MAPPING_FAILED',
  'CONNECTOR_UNKNOWN',
  'CONNECTOR_FAILED',
  'OAUTH_REFUSED',
])

/** Decides what an attempt's result means for its delivery; the endpoint's own connector goes first. */
export function classify(result: AttemptResult): Verdict {
  if (result.kind === 'failure') {
    return MISCONFIGURED_CODES.has(result.code) || isTlsVerificationFailure(result.code)
      ? { kind: 'wait', reason: 'misconfigured' }
      : { kind: 'retry' }
  }
  const { status, verdict } = result
  if (verdict !== undefined) return verdict
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (status >= 300 && status < 400) return { kind: 'wait', reason: 'misconfigured' }
  if (MISCONFIGURED_STATUSES.has(status)) return { kind: 'wait', reason: 'misconfigured' }
  if (status >= 400 && status < 500 && !PASSING_STATUSES.has(status))
    return { kind: 'wait', reason: 'rejected' }
  return { kind: 'retry' }
}

/**
 * Certificate errors as Node names them (https://nodejs.org/api/tls.html#x509-certificate-error-codes); a
 * plain network error has none of these codes. `UNSPECIFIED` is every one that Node has no name for, such as a
 * key that is too short. An alert is the receiver's word on our certificate (RFC 8446, section 6.2), and an
 * error of OpenSSL's own says that certificate and key do not go together.
 */
function isTlsVerificationFailure(code: string): boolean {
  return (
    /^(CERT_|CRL_|ERROR_IN_(CERT|CRL)_|ERR_TLS_CERT_|UNABLE_TO_(GET|DECRYPT|DECODE|VERIFY)_)/.test(code) ||
    /^(ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA)|ERR_OSSL_(X509|PEM)_)/.test(code) ||
    OTHER_CERTIFICATE_ERRORS.has(code)
  )
}

const OTHER_CERTIFICATE_ERRORS = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'UNSPECIFIED',
])
