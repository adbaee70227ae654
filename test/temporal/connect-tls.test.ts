import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Connection } from '@temporalio/client'
import type { NativeConnection } from '@temporalio/worker'
import { loadConfig } from '../../src/config.js'
import { connectClient, connectTemporal } from '../../src/temporal/connect.js'
import { connectNatively } from '../../src/temporal/connect-natively.js'
import { createAuthority, type Authority, type Certificate } from '../support/certificates.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { startTlsProxy, type TlsProxy, type TlsProxyOptions } from '../support/tls-proxy.js'

const KEY = 'sEcReT-api-key'
/** Long enough for a slow machine, short for one that is not going to be connected. */
const CONNECT_TIMEOUT_MS = 3_000

let authority: Authority
let stranger: Authority
let server: Certificate
let named: Certificate
let client: Certificate

beforeAll(async () => {
  authority = await createAuthority()
  stranger = await createAuthority()
  server = await authority.issue('127.0.0.1')
  named = await authority.issue('temporal.city.example')
  client = await authority.issue('worker')
})
afterAll(async () => {
  await authority[Symbol.asyncDispose]()
  await stranger[Symbol.asyncDispose]()
})

function startProxy(options: Partial<TlsProxyOptions> = {}): Promise<TlsProxy> {
  return startTlsProxy(inject('temporalAddress'), { ...server, ...options })
}

/** What reaches the server of the proxy's authority. */
function trusting({ address }: Pick<TlsProxy, 'address'>, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { TEMPORAL_ADDRESS: address, TEMPORAL_TLS_SERVER_CA_CERT_DATA: authority.cert, ...more }
}

describe.each<[string, (env: NodeJS.ProcessEnv) => Promise<string>]>([
  ['the connection of a client', (env) => connect(env, connectClient)],
  ['the connection of a worker', (env) => connect(env, connectNatively)],
])('%s', (_, open) => {
  test('trusts a private CA that is given as text or as a file', async () => {
    await using proxy = await startProxy()
    const file = join(await temporaryFolder(), 'ca.pem')
    await writeFile(file, authority.cert)

    expect(await open(trusting(proxy))).toBe('over TLS')
    const env = { TEMPORAL_ADDRESS: proxy.address, TEMPORAL_TLS_SERVER_CA_CERT_PATH: file }
    expect(await open(env)).toBe('over TLS')
    expect(proxy.calls.map(({ method }) => method)).toContain('DescribeNamespace')
  })

  test('shows its certificate to a server that demands one', async () => {
    await using proxy = await startProxy({ clientCa: authority.cert })
    const folder = await temporaryFolder()
    const [certFile, keyFile] = [join(folder, 'client.pem'), join(folder, 'client.key')]
    await writeFile(certFile, client.cert)
    await writeFile(keyFile, client.key)

    const texts = { TEMPORAL_TLS_CLIENT_CERT_DATA: client.cert, TEMPORAL_TLS_CLIENT_KEY_DATA: client.key }
    expect(await open(trusting(proxy, texts))).toBe('over mutual TLS')
    const files = { TEMPORAL_TLS_CLIENT_CERT_PATH: certFile, TEMPORAL_TLS_CLIENT_KEY_PATH: keyFile }
    expect(await open(trusting(proxy, files))).toBe('over mutual TLS')
  })

  test('expects the name that it is told in the certificate', async () => {
    await using proxy = await startProxy(named)

    const env = trusting(proxy, { TEMPORAL_TLS_SERVER_NAME: 'temporal.city.example' })
    expect(await open(env)).toBe('over TLS')
  })

  test('sends its API key as a bearer token with every call', async () => {
    await using proxy = await startProxy()

    expect(await open(trusting(proxy, { TEMPORAL_API_KEY: KEY }))).toBe('over TLS, with an API key')
    expect(new Set(proxy.calls.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${KEY}`]))
  })

  test('takes all of it from a profile, and variables win over that', async () => {
    await using proxy = await startProxy({ clientCa: authority.cert })
    const folder = await temporaryFolder()
    const file = join(folder, 'temporal.toml')
    await writeFile(
      file,
      `[profile.city]\naddress = "${proxy.address}"\nnamespace = "nobody"\napi_key = "from-the-file"\n` +
        `[profile.city.tls]\nserver_ca_cert_data = """${authority.cert}"""\n` +
        `client_cert_data = """${client.cert}"""\nclient_key_data = """${client.key}"""\n`,
    )
    const profile = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'city' }

    await expect(open(profile)).rejects.toMatchObject({ code: 'TEMPORAL_NAMESPACE_MISSING' })
    expect(proxy.calls.at(-1)?.authorization).toBe('Bearer from-the-file')

    const env = { ...profile, TEMPORAL_NAMESPACE: 'default', TEMPORAL_API_KEY: KEY }
    expect(await open(env)).toBe('over mutual TLS, with an API key')
    expect(proxy.calls.at(-1)?.authorization).toBe(`Bearer ${KEY}`)
  })

  test('says of a certificate that it does not trust which variable names the authority', async () => {
    await using proxy = await startProxy()

    for (const env of [
      { TEMPORAL_ADDRESS: proxy.address, TEMPORAL_TLS: 'true' },
      trusting(proxy, { TEMPORAL_TLS_SERVER_CA_CERT_DATA: stranger.cert }),
    ]) {
      await expect(open(env)).rejects.toMatchObject({
        code: 'TEMPORAL_TLS_FAILED',
        message: expect.stringMatching(/is not trusted: .*set TEMPORAL_TLS_SERVER_CA_CERT_PATH or _DATA/),
      })
    }
    expect(proxy.calls).toEqual([])
  })

  test('says of a certificate for another name which variable names it', async () => {
    await using proxy = await startProxy(named)

    await expect(open(trusting(proxy))).rejects.toMatchObject({
      code: 'TEMPORAL_TLS_FAILED',
      message: expect.stringContaining('set TEMPORAL_TLS_SERVER_NAME to the name that it is for'),
    })
  })

  test('says of a certificate that has expired that the server needs another', async () => {
    await using proxy = await startProxy(await authority.issue('127.0.0.1', { expired: true }))

    await expect(open(trusting(proxy))).rejects.toMatchObject({
      code: 'TEMPORAL_TLS_FAILED',
      message: expect.stringMatching(/certificate has expired.*the server needs a new one/),
    })
  })

  test('tells a client certificate that is missing from one that is not accepted', async () => {
    await using proxy = await startProxy({ clientCa: authority.cert })
    const { cert, key } = await stranger.issue('worker')

    await expect(open(trusting(proxy))).rejects.toMatchObject({
      code: 'TEMPORAL_TLS_FAILED',
      message: expect.stringMatching(/wants a client certificate.*set TEMPORAL_TLS_CLIENT_CERT_PATH/),
    })
    const env = { TEMPORAL_TLS_CLIENT_CERT_DATA: cert, TEMPORAL_TLS_CLIENT_KEY_DATA: key }
    await expect(open(trusting(proxy, env))).rejects.toMatchObject({
      code: 'TEMPORAL_TLS_FAILED',
      message: expect.stringContaining('does not accept the client certificate'),
    })
    expect(proxy.calls).toEqual([])
  })

  test('says whether it is TLS that is missing, or the server’s TLS', async () => {
    await using proxy = await startProxy()

    await expect(open({ TEMPORAL_ADDRESS: proxy.address })).rejects.toMatchObject({
      code: 'TEMPORAL_TLS_FAILED',
      message: `Temporal at ${proxy.address} speaks TLS only; set TEMPORAL_TLS=true`,
    })
    const plain = { TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_API_KEY: KEY }
    await expect(open(plain)).rejects.toMatchObject({
      code: 'TEMPORAL_TLS_FAILED',
      message: expect.stringMatching(/does not speak TLS.*TEMPORAL_TLS=false/),
    })
  })

  test('shows its API key in no text of an error, whatever the server says', async () => {
    await using proxy = await startProxy({
      refuse: ({ authorization }) => ({ code: 13, message: `cannot read ${authorization}` }),
    })

    const failure = await open(trusting(proxy, { TEMPORAL_API_KEY: KEY })).catch((error: unknown) => error)

    expect(failure).toMatchObject({ code: 'TEMPORAL_UNREACHABLE' })
    expect(textsOf(failure)).not.toContain(KEY)
  })

  test.each([
    [16, 'GetSystemInfo', /does not know the caller \(UNAUTHENTICATED\); check that TEMPORAL_API_KEY/],
    [7, 'GetSystemInfo', /refuses the caller access \(PERMISSION_DENIED\); check that the API key/],
    [16, 'DescribeNamespace', /does not know the caller \(UNAUTHENTICATED\)/],
    [7, 'DescribeNamespace', /refuses the caller access to namespace "default" \(PERMISSION_DENIED\)/],
  ])('says what to check where the server refuses (status %i of %s)', async (code, method, message) => {
    const refuse: TlsProxyOptions['refuse'] = (call) =>
      call.method === method ? { code, message: `no right for ${call.authorization}` } : undefined
    await using proxy = await startProxy({ refuse })

    const refusal = await open(trusting(proxy, { TEMPORAL_API_KEY: KEY })).catch((error: unknown) => error)

    expect(refusal).toMatchObject({ code: 'TEMPORAL_ACCESS_DENIED', message: expect.stringMatching(message) })
    expect(textsOf(refusal)).not.toContain(KEY)
  })
})

test.each([
  ['TEMPORAL_API_KEY', `${KEY}\n`, 'printable ASCII'],
  ['TEMPORAL_TLS', 'yes', 'true or false'],
  ['TEMPORAL_TLS_CLIENT_CERT_DATA', 'a certificate', 'a client certificate and its key go together'],
])('%s is refused where it would be taken for something else', (name, value, accepted) => {
  const load = () => loadConfig({ [name]: value })

  expect(load).toThrow(accepted)
  expect(load).not.toThrow(KEY)
})

test('a variable without a value counts as none', () => {
  const { temporal } = loadConfig({ TEMPORAL_API_KEY: '', TEMPORAL_ADDRESS: '', TEMPORAL_TLS: '' })

  expect(temporal.connectionOptions).toEqual({})
})

async function connect<C extends Connection | NativeConnection>(
  env: NodeJS.ProcessEnv,
  open: Parameters<typeof connectTemporal<C>>[2],
): Promise<string> {
  const config = loadConfig({ SYNC_DATA_DIR: await temporaryFolder(), ...env })
  const options = { connectTimeoutMs: CONNECT_TIMEOUT_MS }
  const { connection, security } = await connectTemporal(config, options, open)
  await connection.close()
  return security
}

/** What a log could show of an error. */
function textsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${textsOf(error.cause)}`
}
