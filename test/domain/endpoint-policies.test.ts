import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseEndpoint } from '../../src/domain/parse-endpoint.js'
import { refusalOf } from './problems.js'

const url = 'https://ems.city.example/hook'
const { privateKey } = generateKeyPairSync('ed25519')
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const secretOf = (prefix: string, bytes: number): string =>
  `${prefix}_${Buffer.alloc(bytes, 7).toString('base64')}`

test.each<[title: string, settings: object]>([
  ['a retry policy', { retry: { initialIntervalMs: 100, backoffCoefficient: 1, expireAfterMs: 1_000 } }],
  ['a time limit', { attemptTimeoutMs: 300_000 }],
  ['a concurrency limit', { maxConcurrentAttempts: 1 }],
  ['a rate limit', { maxAttemptsPerSecond: 0.5 }],
  ['headers', { headers: { 'X-Api-Version': '2', accept: 'application/json' } }],
  ['basic authentication', { auth: { type: 'basic', username: 'sync', password: 'pä ss:word' } }],
  ['a named header', { auth: { type: 'header', name: 'X-Api-Key', value: 'abc' } }],
  ['two signing secrets', { signingSecrets: [secretOf('whsec', 24), secretOf('whsk', 32)] }],
  ['a format', { format: 'cloudevents-binary' }],
  ['the name of a connector', { connector: 'fhir' }],
  ['a mapping', { connector: { method: '"PUT"', path: '"/" & data.id', headers: { accept: '"*/*"' } } }],
])('an endpoint may have %s', (_title, settings) => {
  expect(parseEndpoint('EMS', { url, ...settings })).toEqual({ url, ...settings })
})

test.each<[field: string, settings: object]>([
  ['retry.initialIntervalMs', { retry: { initialIntervalMs: 99 } }],
  ['retry.initialIntervalMs', { retry: { initialIntervalMs: 1.5e3 + 0.5 } }],
  ['retry.backoffCoefficient', { retry: { backoffCoefficient: 0.5 } }],
  ['retry.maximumIntervalMs', { retry: { maximumIntervalMs: 3_600_001 } }],
  ['retry.slowIntervalMs', { retry: { slowIntervalMs: 0 } }],
  ['retry.expireAfterMs', { retry: { expireAfterMs: -1 } }],
  ['retry.maxAttempts', { retry: { maxAttempts: 3 } }],
  ['attemptTimeoutMs', { attemptTimeoutMs: 300_001 }],
  ['maxConcurrentAttempts', { maxConcurrentAttempts: 0 }],
  ['maxAttemptsPerSecond', { maxAttemptsPerSecond: 0 }],
  ['maxAttemptsPerSecond', { maxAttemptsPerSecond: 1_001 }],
  ['format', { format: 'xml' }],
  ['connector', { connector: 'a b' }],
  ['connector', { connector: 'fhir', format: 'raw' }],
  ['auth', { auth: { type: 'basic', username: 'a', password: 'b' }, authToken: 'Bearer abc' }],
  ['auth.type', { auth: { type: 'digest' } }],
  ['auth.username', { auth: { type: 'basic', username: 'a:b', password: 'sEcReT' } }],
  ['auth.tokenUrl', { auth: { type: 'oauth2', tokenUrl: 'ftp://x', clientId: 'a', clientSecret: 'sEcReT' } }],
  ['tls', { tls: { key } }],
  ['tls.ca', { tls: { ca: 'not a certificate' } }],
  ['tls.key', { tls: { cert: 'x', key: 'sEcReT' } }],
  ['signingSecrets[0]', { signingSecrets: [secretOf('whsec', 23)] }],
  ['signingSecrets[0]', { signingSecrets: ['sEcReT'] }],
  ['signingSecrets', { signingSecrets: [24, 25, 26].map((bytes) => secretOf('whsec', bytes)) }],
])('%s is refused by name, and no secret is shown', (field, settings) => {
  const { problems, message } = refusalOf(() => parseEndpoint('EMS', { url, ...settings }))

  expect(problems.map((problem) => problem.field)).toContain(field)
  expect(message).not.toContain('sEcReT')
})

const UNSETTABLE =
  'connection Keep-Alive proxy-authorization te Trailer transfer-encoding upgrade host content-length expect ' +
  'webhook-id Webhook-Signature authorization traceparent x:y ä'

test.each([...UNSETTABLE.split(' '), 'a b', ''])('the header %j cannot be set', (name) => {
  const { message } = refusalOf(() => parseEndpoint('EMS', { url, headers: { [name]: 'sEcReT' } }))

  expect(message).toContain('headers')
  expect(message).not.toContain('sEcReT')
})
