import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { PROBLEM_CONTENT_TYPE, toProblem } from '../http/problem.js'
import type { RequestErrorCode } from './request-error.js'

interface ClientError {
  status: number
  code: RequestErrorCode
  detail: string
}

const NO_REQUEST: ClientError = {
  status: 400,
  code: 'MALFORMED_REQUEST',
  detail: 'this is no HTTP request',
}

/** By the codes of Node. */
const CLIENT_ERRORS: Readonly<Record<string, ClientError>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'REQUEST_TIMEOUT',
    detail: 'the request did not arrive in time',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'HEADERS_TOO_LARGE',
    detail: 'the headers are larger than 16 KiB',
  },
}

/** Answers what is no HTTP request, or never became one, on the connection itself; then closes it. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, code, detail } = CLIENT_ERRORS[error.code ?? ''] ?? NO_REQUEST
  const body = JSON.stringify(toProblem(status, { code, detail }))
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}
