import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import {
  describeDatabase,
  loadConfig,
  LOG_LEVELS,
  temporalDataFile,
  type DatabaseLocation,
} from '../src/config.js'
import { openKeyRing } from '../src/encryption/open-key-ring.js'
import { refusalOf } from './domain/problems.js'
import { temporaryFolder } from './support/temporary-folder.js'

const TASK_QUEUE = '1 to 100 letters, digits, ".", "_" and "-"'
const DATABASE =
  'postgres://user:password@host/database, or a file URL such as file:///var/lib/sync/endpoints.db'
const KEY = Buffer.alloc(32, 1).toString('base64')
const HASH = '0123456789abcdef'.repeat(4)
const CODEC_TOKEN =
  '16 to 512 visible ASCII characters without spaces, such as what `openssl rand -hex 32` prints'

test('an empty environment gives the defaults', () => {
  const config = loadConfig({})

  expect(config).toEqual({
    dataDir: resolve('.external-sync'),
    database: sqlite(resolve('.external-sync/endpoints.db')),
    encryptPayloads: false,
    cacheDir: join(homedir(), '.cache', 'external-sync'),
    taskQueue: 'external-sync',
    maxDataBytes: 262_144,
    grouping: 'off',
    expressAttempts: true,
    temporal: expect.any(Object),
  })
  expect(temporalDataFile(config)).toBe(resolve('.external-sync/temporal.db'))
  expect(Object.isFrozen(config)).toBe(true)
})

test.each<[name: string, value: string, expected: object]>([
  ['SYNC_DATA_DIR', '/data', { dataDir: '/data', database: sqlite('/data/endpoints.db') }],
  ['SYNC_DATA_DIR', 'data', { dataDir: resolve('data'), database: sqlite(resolve('data/endpoints.db')) }],
  ['DATABASE_URL', 'file:///var/lib/sync%20it/e.db', { database: sqlite('/var/lib/sync it/e.db') }],
  [
    'DATABASE_URL',
    'postgres://a:b@db/sync',
    { database: { kind: 'postgres', url: 'postgres://a:b@db/sync' } },
  ],
  ['DATABASE_URL', 'postgresql://db:5/s', { database: { kind: 'postgres', url: 'postgresql://db:5/s' } }],
  ['SYNC_ENCRYPT_PAYLOADS', 'true', { encryptPayloads: true }],
  ['SYNC_CACHE_DIR', '/cache', { cacheDir: '/cache' }],
  ['SYNC_TASK_QUEUE', 'city', { taskQueue: 'city' }],
  ['SYNC_TASK_QUEUE', 'x'.repeat(100), { taskQueue: 'x'.repeat(100) }],
  ['SYNC_ALLOW_NETWORKS', '10.0.0.0/8, ::1', { allowNetworks: ['10.0.0.0/8', '::1'] }],
  ['SYNC_ALLOW_NETWORKS', '', { allowNetworks: [] }],
  ['SYNC_ENCRYPT_PAYLOADS', 'true', { encryptPayloads: true }],
  ['SYNC_CODEC_TOKEN', 'x'.repeat(16), { codecToken: 'x'.repeat(16) }],
  ['SYNC_CODEC_ORIGINS', '', { codecOrigins: [] }],
  [
    'SYNC_CODEC_ORIGINS',
    'https://temporal.city.example, http://localhost:8233',
    { codecOrigins: ['https://temporal.city.example', 'http://localhost:8233'] },
  ],
  [
    'SYNC_API_TOKENS',
    `emit:${HASH}, admin:${HASH}`,
    {
      apiTokens: [
        { role: 'emit', sha256: HASH },
        { role: 'admin', sha256: HASH },
      ],
    },
  ],
  ['SYNC_API_RATE_LIMIT', '2000', { apiRateLimit: 2_000 }],
  ['SYNC_TEMPORAL_UI_URL', 'https://t.example/ui/', { temporalUiUrl: 'https://t.example/ui' }],
  ['SYNC_EXPRESS_ATTEMPTS', 'false', { expressAttempts: false }],
  ['SYNC_GROUPING', 'auto', { grouping: 'auto' }],
  ['SYNC_TEMPORAL_PATH', '/bin/temporal', { temporalPath: '/bin/temporal' }],
  ['SYNC_TEST_SERVER_PATH', '/bin/test-server', { testServerPath: '/bin/test-server' }],
  ['SYNC_MAX_DATA_BYTES', '1', { maxDataBytes: 1 }],
  ['SYNC_MAX_DATA_BYTES', '1048576', { maxDataBytes: 1_048_576 }],
  ['PATH', '/bin:/usr/bin', { searchPath: '/bin:/usr/bin' }],
  ...LOG_LEVELS.map((level): [string, string, object] => ['SYNC_LOG_LEVEL', level, { logLevel: level }]),
])('%s=%s is read', (name, value, expected) => {
  expect(loadConfig({ [name]: value })).toMatchObject(expected)
})

test.each<[name: string, value: string, accepted: string]>([
  ['SYNC_DATA_DIR', '', 'a value, or no such variable'],
  ['SYNC_TASK_QUEUE', '', TASK_QUEUE],
  ['SYNC_TASK_QUEUE', 'x'.repeat(101), TASK_QUEUE],
  ['SYNC_EXPRESS_ATTEMPTS', 'yes', 'true or false'],
  ['SYNC_GROUPING', 'on', 'off or auto'],
  ['SYNC_API_RATE_LIMIT', '', 'a whole number'],
  [
    'SYNC_TEMPORAL_UI_URL',
    'javascript:alert(1)',
    'an http or https URL such as https://temporal.city.example',
  ],
  ['SYNC_API_RATE_LIMIT', '0.5', 'a whole number'],
  ['SYNC_API_RATE_LIMIT', '0', 'at least 1'],
  ['SYNC_TEMPORAL_PATH', '', 'a value, or no such variable'],
  ['SYNC_TEST_SERVER_PATH', '', 'a value, or no such variable'],
  ['SYNC_LOG_LEVEL', 'verbose', `one of ${LOG_LEVELS.join(', ')}`],
  ['SYNC_LOG_LEVEL', 'INFO', `one of ${LOG_LEVELS.join(', ')}`],
  ['SYNC_MAX_DATA_BYTES', '', 'a whole number'],
  ['SYNC_MAX_DATA_BYTES', 'many', 'a whole number'],
  ['SYNC_MAX_DATA_BYTES', '1.5', 'a whole number'],
  ['SYNC_MAX_DATA_BYTES', '-1', 'a whole number'],
  ['SYNC_MAX_DATA_BYTES', '1e3', 'a whole number'],
  ['SYNC_MAX_DATA_BYTES', '0', 'at least 1'],
  ['SYNC_MAX_DATA_BYTES', '1048577', 'at most 1048576'],
])('%s=%s is refused with its name and value', (name, value, accepted) => {
  const { message, problems } = refusalOf(() => loadConfig({ [name]: value }))

  expect(problems).toEqual([{ field: name, value: expect.stringContaining(value.slice(0, 79)), accepted }])
  expect(message).toMatch(/^environment: /)
})

test.each([
  'postgres://sync:sEcReT@db',
  'mysql://sync:sEcReT@db/sync',
  'file:sEcReT.db',
  'file://sEcReT/endpoints.db',
  'file:///a%2FsEcReT',
  '/var/lib/sEcReT.db',
])('DATABASE_URL=%s is refused, and its value never shown', (DATABASE_URL) => {
  const refusal = refusalOf(() => loadConfig({ DATABASE_URL }))

  expect(refusal.problems).toEqual([{ field: 'DATABASE_URL', accepted: DATABASE }])
  expect(refusal.message).not.toContain('sEcReT')
})

test('keys are read in their order, and shown nowhere', () => {
  const config = loadConfig({ SYNC_ENCRYPTION_KEYS: `new:${KEY}, old.1:${KEY.replace(/=+$/, '')}` })

  expect(config.encryptionKeys?.ids).toEqual(['new', 'old.1'])
  expect(config.encryptionKeys?.currentId).toBe('new')
  expect(`${inspect(config, { depth: 9, showHidden: true })}${JSON.stringify(config)}`).not.toContain(
    KEY.slice(0, 20),
  )
})

test.each<[title: string, keys: string, problem: RegExp]>([
  ['nothing', '', /SYNC_ENCRYPTION_KEYS/],
  ['no id', KEY, /<id>:<32 bytes in base64>/],
  ['a truncated key', `k1:${KEY},k2:${KEY.slice(0, 40)}`, /SYNC_ENCRYPTION_KEYS\[1\].*the key k2 has 30/],
  ['a key that is too long', `k1:${Buffer.alloc(33).toString('base64')}`, /the key k1 has 33/],
  ['other characters', `k1:${KEY.slice(0, -4)}!!!=`, /SYNC_ENCRYPTION_KEYS\[0\]/],
  ['an id twice', `k1:${KEY},k1:${KEY}`, /each key once; there are two with the id k1/],
  ['an end without a key', `k1:${KEY},`, /SYNC_ENCRYPTION_KEYS\[1\]/],
])('SYNC_ENCRYPTION_KEYS of %s is refused, and no key shown', (_title, keys, problem) => {
  const { message } = refusalOf(() => loadConfig({ SYNC_ENCRYPTION_KEYS: keys }))

  expect(message).toMatch(problem)
  expect(message).not.toContain(KEY.slice(0, 20))
})

test('a Postgres store without SYNC_ENCRYPTION_KEYS is refused with the command that makes a key', () => {
  const config = loadConfig({ DATABASE_URL: 'postgres://a:sEcReT@db/sync' })

  const { message } = refusalOf(() => openKeyRing(config))
  expect(message).toContain('external-sync keys generate')
  expect(message).not.toContain('sEcReT')
  expect(describeDatabase(config.database)).toBe('postgres://db/sync')
})

test.each([
  'sEcReT',
  'sEcReT-x-x-x-x-',
  'sEcReT with spaces in it',
  `sEcReT${'x'.repeat(507)}`,
  'sEcReT-ü-ü-ü-ü-ü-ü',
])('SYNC_CODEC_TOKEN=%s is refused, and its value never shown', (SYNC_CODEC_TOKEN) => {
  const refusal = refusalOf(() => loadConfig({ SYNC_CODEC_TOKEN }))

  expect(refusal.problems).toEqual([{ field: 'SYNC_CODEC_TOKEN', accepted: CODEC_TOKEN }])
  expect(refusal.message).not.toContain('sEcReT')
})

test.each([
  '*',
  'temporal.city.example',
  'https://temporal.city.example/',
  'HTTPS://city.example',
  'ftp://city.example',
])('SYNC_CODEC_ORIGINS with %s is refused, as a browser names no origin so', (origin) => {
  const refusal = refusalOf(() => loadConfig({ SYNC_CODEC_ORIGINS: `http://localhost:8233,${origin}` }))

  expect(refusal.problems).toMatchObject([
    { field: 'SYNC_CODEC_ORIGINS[1]', accepted: 'an origin such as https://temporal.city.example' },
  ])
})

test.each([
  '',
  'sEcReT',
  'emit:sEcReT',
  `root:${HASH}`,
  `emit:${HASH.toUpperCase()}`,
  `emit:${HASH},`,
  `emit:${HASH}0`,
])('SYNC_API_TOKENS=%s is refused, and its value never shown', (SYNC_API_TOKENS) => {
  const refusal = refusalOf(() => loadConfig({ SYNC_API_TOKENS }))

  expect(refusal.problems).toMatchObject([
    {
      field: expect.stringMatching(/^SYNC_API_TOKENS\[\d\]$/),
      accepted: expect.stringContaining('<role>:<SHA-256'),
    },
  ])
  expect(refusal.message).not.toContain('sEcReT')
})

test('all problems are reported together', () => {
  const env = {
    SYNC_LOG_LEVEL: 'loud',
    SYNC_MAX_DATA_BYTES: 'many',
    DATABASE_URL: 'mysql://',
    SYNC_DATA_DIR: '',
  }

  expect(
    refusalOf(() => loadConfig(env))
      .problems.map(({ field }) => field)
      .toSorted(),
  ).toEqual(['DATABASE_URL', 'SYNC_DATA_DIR', 'SYNC_LOG_LEVEL', 'SYNC_MAX_DATA_BYTES'])
})

test('TEMPORAL_* is read as Temporal’s own tools read it', () => {
  const { temporal } = loadConfig({
    TEMPORAL_ADDRESS: 'temporal.city.example:7233',
    TEMPORAL_NAMESPACE: 'city',
    TEMPORAL_API_KEY: 'key',
  })

  expect(temporal).toMatchObject({
    namespace: 'city',
    connectionOptions: { address: 'temporal.city.example:7233', apiKey: 'key' },
  })
})

test('a profile file is read where TEMPORAL_CONFIG_FILE names one, and variables win over it', async () => {
  const file = join(await temporaryFolder(), 'temporal.toml')
  await writeFile(file, '[profile.city]\naddress = "from-file:7233"\nnamespace = "from-file"\n')
  const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'city', TEMPORAL_NAMESPACE: 'from-env' }

  expect(loadConfig(env).temporal).toMatchObject({
    namespace: 'from-env',
    connectionOptions: { address: 'from-file:7233' },
  })
})

test('a Temporal configuration that cannot be read is refused, and an API key in it not shown', async () => {
  const file = join(await temporaryFolder(), 'temporal.toml')
  await writeFile(file, '[profile.default]\napi_key = "sEcReT\n')

  for (const env of [
    { TEMPORAL_CONFIG_FILE: file },
    { TEMPORAL_TLS_SERVER_CA_CERT_PATH: `${file}.missing` },
    { TEMPORAL_PROFILE: 'nobody' },
  ]) {
    const refusal = refusalOf(() => loadConfig(env))
    expect(refusal.problems).toMatchObject([{ field: 'TEMPORAL_*' }])
    expect(refusal.message).not.toContain('sEcReT')
  }
})

function sqlite(file: string): DatabaseLocation {
  return { kind: 'sqlite', file }
}
