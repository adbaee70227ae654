import type { WaitingReason } from '../domain/delivery.js'
import type { AttemptResult } from './send.js'

/** What follows from one attempt; the table is in the design notes and in docs of the states. */
export type Verdict =
  | { kind: 'delivered' }
  | { kind: 'retry' }
  | { kind: 'wait'; reason: Exclude<WaitingReason, 'down' | 'paused'> }

/** Client errors that a later attempt may well not meet again (RFC 9110, RFC 8470, RFC 6585). */
const PASSING_STATUSES = new Set([408, 425, 429])
/** Statuses that say the request went to the wrong place or with the wrong credentials. */
const MISCONFIGURED_STATUSES = new Set([401, 403, 404, 405, 410])

/** Decides what an attempt's result means for its delivery. */
export function classify(result: AttemptResult): Verdict {
  if (result.kind === 'failure') {
    return isTlsVerificationFailure(result.code)
      ? { kind: 'wait', reason: 'misconfigured' }
      : { kind: 'retry' }
  }
  const { status } = result
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
 * key that is too short.
 */
function isTlsVerificationFailure(code: string): boolean {
  return (
    /^(CERT_|CRL_|ERROR_IN_(CERT|CRL)_|ERR_TLS_CERT_|UNABLE_TO_(GET|DECRYPT|DECODE|VERIFY)_)/.test(code) ||
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
