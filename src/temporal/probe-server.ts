import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions as NodeTlsOptions, type TLSSocket } from 'node:tls'
import type { ConnectionOptions } from '@temporalio/client'

/** Where Temporal's SDK goes when an address names no port. */
const DEFAULT_PORT = 7233

/** What keeps a connection from coming about, as far as the network and TLS are concerned. */
export type ProbeFault =
  /** Nothing answers. `reason` is a code such as `ECONNREFUSED`, where there is one. */
  | { kind: 'silent'; reason?: string }
  /** The server speaks TLS, and none is configured. */
  | { kind: 'tls-wanted' }
  /** TLS is configured, and the server does not speak it. */
  | { kind: 'tls-unspoken' }
  /** A certificate or key of ours is not PEM. */
  | { kind: 'unreadable-pem' }
  /** The server's certificate cannot be verified. `reason` is Node's code and its words. */
  | { kind: 'untrusted'; code: string; reason: string }
  /** The server ended the connection at or after the handshake. */
  | { kind: 'client-certificate'; wasGiven: boolean }

/** What a probe connects to. */
type ProbeTarget = Pick<ConnectionOptions, 'tls'> & { address: string }

/**
 * Connects once, up to HTTP/2's first frame, to learn what is wrong: the SDK's client says only that it could
 * not connect, and its worker says it in words of its own.
 *
 * @returns undefined when there is nothing wrong
 */
export async function probeServer(
  { address, tls }: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeFault | undefined> {
  const place = placeOf(address)
  if (place === undefined) return { kind: 'silent' }
  if (tls === undefined || tls === null || tls === false) {
    const { error } = await exchangeSettings(() => connectTcp(place), timeoutMs)
    if (error === undefined) return undefined
    const blind = { ...place, rejectUnauthorized: false }
    const { handshake } = await exchangeSettings(() => connectTls(blind), timeoutMs)
    return handshake ? { kind: 'tls-wanted' } : { kind: 'silent', ...reasonOf(error) }
  }
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls === true ? {} : tls
  const name = serverNameOverride ?? place.host
  const options: NodeTlsOptions = {
    ...place,
    ...(isIP(name) === 0 && { servername: name }),
    ...(serverRootCACertificate && { ca: Buffer.from(serverRootCACertificate) }),
    ...(clientCertPair && { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }),
    ALPNProtocols: ['h2'],
  }
  try {
    const { handshake, error } = await exchangeSettings(() => connectTls(options), timeoutMs)
    return error && tlsFault(error, handshake, clientCertPair !== undefined && clientCertPair !== null)
  } catch {
    return { kind: 'unreadable-pem' }
  }
}

interface Exchange {
  /** Whether the TLS handshake came to its end, as the client sees it. */
  handshake: boolean
  /** Why the server's first frame did not come. */
  error?: NodeJS.ErrnoException
}

/** A server that refuses a client's certificate says so after the handshake (RFC 8446, section 4.4.2.4). */
async function exchangeSettings(open: () => Socket | TLSSocket, timeoutMs: number): Promise<Exchange> {
  const socket = open()
  let handshake = false
  socket.on('secureConnect', () => (handshake = true))
  let session: ClientHttp2Session | undefined
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(new Error('it did not answer')), timeoutMs)
    socket.on('error', resolve)
    session = connectHttp2('http://temporal', { createConnection: () => socket })
    session
      .on('error', resolve)
      .on('remoteSettings', () => resolve(undefined))
      .on('close', () => resolve(new Error('it closed the connection')))
    void session.once('close', () => clearTimeout(timer))
  })
  session?.destroy()
  socket.destroy()
  return error === undefined ? { handshake } : { handshake, error }
}

function tlsFault(error: NodeJS.ErrnoException, handshake: boolean, wasGiven: boolean): ProbeFault {
  const code = error.code ?? ''
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)/.test(code)) {
    return { kind: 'tls-unspoken' }
  }
  if (/CERT|SIGNATURE|^HOSTNAME|^INVALID_CA/.test(code) && !/ALERT/.test(code)) {
    return { kind: 'untrusted', code, reason: error.message }
  }
  if (handshake || /ALERT/.test(code)) return { kind: 'client-certificate', wasGiven }
  return { kind: 'silent', ...reasonOf(error) }
}

function reasonOf({ code }: NodeJS.ErrnoException): { reason?: string } {
  return code === undefined ? {} : { reason: code }
}

/** `host:port`, `host` or `[v6]:port`; a URL's own rules would drop a scheme's usual port. */
function placeOf(address: string): { host: string; port: number } | undefined {
  if (!URL.canParse(`temporal://${address}`)) return undefined
  const { hostname, port } = new URL(`temporal://${address}`)
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? DEFAULT_PORT : Number(port) }
}
