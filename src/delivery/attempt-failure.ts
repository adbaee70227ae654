import { errors } from 'undici'
import { AttemptError, type AttemptFailure } from './attempt-result.js'

/** The code and a message of our own making: another error's own text may quote the request. */
export function toFailure(error: unknown): AttemptFailure {
  if (error instanceof AttemptError) return { kind: 'failure', code: error.code, message: error.message }
  const code = errorCode(error)
  return { kind: 'failure', code, message: FAILURE_MESSAGES[code] ?? `the request failed with ${code}` }
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0])
  if (error instanceof errors.SocketError) return 'UND_ERR_SOCKET'
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : 'UNKNOWN'
}

const FAILURE_MESSAGES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the host name was not found',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  EPIPE: 'the connection was closed while the request was sent',
  UND_ERR_SOCKET: 'the connection was closed before a response came',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within the time limit',
  TimeoutError: 'no response within the time limit',
  UND_ERR_HEADERS_TIMEOUT: 'no response within the time limit',
  UND_ERR_HEADERS_OVERFLOW: 'the response has too many headers',
  HTTPParserError: 'the response is not HTTP',
  UND_ERR_BODY_TIMEOUT: 'the response stopped midway',
}
