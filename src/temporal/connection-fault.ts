import { Connection } from '@temporalio/client'
import { SyncError } from '../domain/errors.js'
import type { AddressedOptions } from './addressed-options.js'
import { grpcStatus, failedWith } from './grpc-status.js'
import { probeServer, type ProbeFault } from './probe-server.js'

/** How long each look at a server that could not be connected to may take. */
const PROBE_TIMEOUT_MS = 2_000

/** A failure that trying again does not cure, in the words of the worker's connection. */
const LASTING =
  /InvalidCertificate|CertificateRequired|InvalidContentType|ParseError|valid authentication|have permission/

/** Whether opening a connection may succeed a little later, as far as its failure tells. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof Error && LASTING.test(error.message))
}

/**
 * Says why a connection could not be opened, after a look at the server.
 *
 * @returns `TEMPORAL_TLS_FAILED`, `TEMPORAL_ACCESS_DENIED` or `TEMPORAL_UNREACHABLE`, with what to check; the
 * API key is in none of its texts
 */
export async function explainFailure(
  options: AddressedOptions,
  triedForMs: number,
  failure: unknown,
): Promise<SyncError> {
  const { address } = options
  const cause = withoutSecret(failure, options)
  const fault = await probeServer(options, PROBE_TIMEOUT_MS)
  if (fault === undefined) {
    const denied = accessDenied(failure, address) ?? accessDenied(await firstCall(options), address)
    if (denied !== undefined) return denied
  } else if (fault.kind !== 'silent') {
    return new SyncError('TEMPORAL_TLS_FAILED', tlsMessage(fault, address), { cause })
  }
  const reason = fault?.reason === undefined ? '' : ` (${fault.reason})`
  return new SyncError(
    'TEMPORAL_UNREACHABLE',
    `no Temporal server answered at ${address} within ${triedForMs / 1_000} s${reason}; ` +
      'start one with `npx external-sync start`, or set TEMPORAL_ADDRESS to one that runs',
    { cause },
  )
}

/**
 * The typed error of a call that the server refused to whoever made it; else undefined. It has no cause: a
 * server's words may repeat what it was sent.
 */
export function accessDenied(error: unknown, address: string, namespace?: string): SyncError | undefined {
  const to = namespace === undefined ? '' : ` to namespace "${namespace}"`
  if (failedWith(error, 'UNAUTHENTICATED')) {
    return new SyncError(
      'TEMPORAL_ACCESS_DENIED',
      `Temporal at ${address} does not know the caller (UNAUTHENTICATED); check that TEMPORAL_API_KEY, or ` +
        '`api_key` in the profile, is whole, has not expired and belongs to this server',
    )
  }
  if (failedWith(error, 'PERMISSION_DENIED')) {
    return new SyncError(
      'TEMPORAL_ACCESS_DENIED',
      `Temporal at ${address} refuses the caller access${to} (PERMISSION_DENIED); check that the API key or ` +
        'the client certificate has a right to the namespace, and that TEMPORAL_NAMESPACE is its whole name ' +
        '(in Temporal Cloud <name>.<account>)',
    )
  }
  return undefined
}

function tlsMessage(fault: Exclude<ProbeFault, { kind: 'silent' }>, address: string): string {
  switch (fault.kind) {
    case 'tls-wanted':
      return `Temporal at ${address} speaks TLS only; set TEMPORAL_TLS=true`
    case 'tls-unspoken':
      return (
        `Temporal at ${address} does not speak TLS, which TEMPORAL_TLS, another TEMPORAL_TLS_* variable or an ` +
        'API key asks for; set TEMPORAL_TLS=false, or TEMPORAL_ADDRESS to a server that does'
      )
    case 'unreadable-pem':
      return (
        'the client certificate or its key cannot be read; expected PEM in TEMPORAL_TLS_CLIENT_CERT_PATH or ' +
        '_DATA and TEMPORAL_TLS_CLIENT_KEY_PATH or _DATA'
      )
    case 'client-certificate':
      return fault.wasGiven
        ? `Temporal at ${address} does not accept the client certificate; check that ` +
            'TEMPORAL_TLS_CLIENT_CERT_PATH or _DATA is one of an authority that the server trusts, and has not expired'
        : `Temporal at ${address} wants a client certificate, or does not speak gRPC there; set ` +
            'TEMPORAL_TLS_CLIENT_CERT_PATH or _DATA and TEMPORAL_TLS_CLIENT_KEY_PATH or _DATA'
    case 'untrusted':
      return `the certificate of Temporal at ${address} is not trusted: ${fault.reason} (${fault.code}); ${advice(fault.code)}`
  }
}

function advice(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'the server needs a new one'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'set TEMPORAL_TLS_SERVER_NAME to the name that it is for, or correct TEMPORAL_ADDRESS'
  }
  return 'set TEMPORAL_TLS_SERVER_CA_CERT_PATH or _DATA to the certificate of the authority that issued it'
}

/** What the server answers to a call, as the worker's connection tells no status. */
async function firstCall(options: AddressedOptions): Promise<unknown> {
  const connection = Connection.lazy({ ...options, connectTimeout: PROBE_TIMEOUT_MS })
  try {
    await connection.ensureConnected()
    return undefined
  } catch (error) {
    return error
  } finally {
    await connection.close()
  }
}

/** A server's words may repeat what it was sent, and a log shows causes. */
function withoutSecret(failure: unknown, { apiKey, metadata }: AddressedOptions): unknown {
  const mayRepeat = apiKey !== undefined || metadata !== undefined || grpcStatus(failure) !== undefined
  return mayRepeat ? undefined : failure
}
