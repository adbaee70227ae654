import { isIP } from 'node:net'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClientConnectConfig } from '@temporalio/envconfig'
import { z } from 'zod'
import { API_TOKEN_ENTRY, API_TOKENS_ACCEPTED, parseApiToken, type ApiToken } from './api/api-token.js'
import { parseNetworks } from './delivery/address-guard.js'
import { DEFAULT_MAX_DATA_BYTES } from './domain/event.js'
import { parseInput } from './domain/parse-input.js'
import { defaultCacheDir } from './embedded/cache-dir.js'
import { KeyRing, parseKeys } from './encryption/key-ring.js'
import type { MetricsAddress } from './metrics/metrics-server.js'
import { loadTemporalConfig } from './temporal-config.js'

const LARGEST_MAX_DATA_BYTES = 1024 * 1024

const CODEC_TOKEN = /^[\x21-\x7e]{16,512}$/
/** What {@link Config.codecToken} may be, for whoever refuses to do without. */
export const CODEC_TOKEN_ACCEPTED =
  '16 to 512 visible ASCII characters without spaces, such as what `openssl rand -hex 32` prints'

/** Everything that the environment decides, read once where a process or a service is composed. */
export interface Config {
  /** Where the embedded mode keeps its files. `SYNC_DATA_DIR` @default .external-sync */
  readonly dataDir: string
  /** The endpoint store. `DATABASE_URL` @default the SQLite file `<dataDir>/endpoints.db` */
  readonly database: DatabaseLocation
  /** The keys that encrypt secrets and payloads. `SYNC_ENCRYPTION_KEYS` @default those of a file in `dataDir` */
  readonly encryptionKeys?: KeyRing
  /** Whether what Temporal gets is encrypted. `SYNC_ENCRYPT_PAYLOADS` @default false */
  readonly encryptPayloads: boolean
  /** What callers of the codec endpoint must know. `SYNC_CODEC_TOKEN` @default none: it does not start */
  readonly codecToken?: string
  /** Origins whose pages may use the codec endpoint. `SYNC_CODEC_ORIGINS` @default the embedded Temporal UI's */
  readonly codecOrigins?: readonly string[]
  /** Who may call the HTTP API. `SYNC_API_TOKENS` @default none: everybody on this machine */
  readonly apiTokens?: readonly ApiToken[]
  /** Requests of one caller of the HTTP API in a second at most. `SYNC_API_RATE_LIMIT` @default unlimited */
  readonly apiRateLimit?: number
  /** Where a process serves its metrics to whoever asks. `SYNC_METRICS_ADDRESS` @default nowhere but in the API */
  readonly metricsAddress?: MetricsAddress
  /** Where the Temporal UI is, for links to it. `SYNC_TEMPORAL_UI_URL` @default none; the embedded one's */
  readonly temporalUiUrl?: string
  /** Where fetched or built servers are kept, outside any clone. `SYNC_CACHE_DIR` */
  readonly cacheDir: string
  /** The task queue of workers and workflows. `SYNC_TASK_QUEUE` @default external-sync */
  readonly taskQueue: string
  /** The Temporal CLI to use. `SYNC_TEMPORAL_PATH` @default looked for, fetched or built */
  readonly temporalPath?: string
  /** The time-skipping test server to use. `SYNC_TEST_SERVER_PATH` @default looked for or fetched */
  readonly testServerPath?: string
  /** `SYNC_LOG_LEVEL` @default info in a process of ours, warn in the client */
  readonly logLevel?: LogLevel
  /** An event's largest data in bytes of JSON. `SYNC_MAX_DATA_BYTES` @default 262144, at most 1048576 */
  readonly maxDataBytes: number
  /** Networks that may be reached although they are not public. `SYNC_ALLOW_NETWORKS` @default none; loopback where the Temporal server is the embedded one */
  readonly allowNetworks?: readonly string[]
  /** Whether first attempts are made within the workflow task. `SYNC_EXPRESS_ATTEMPTS` @default true */
  readonly expressAttempts: boolean
  /** Whether events that are emitted at the same time go to Temporal together. `SYNC_GROUPING` @default off */
  readonly grouping: 'off' | 'auto'
  /** Address, namespace, TLS and API key by `TEMPORAL_*` or the profile file of Temporal's tools. */
  readonly temporal: ClientConnectConfig
  /** `PATH`, for finding programs. */
  readonly searchPath?: string
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where the endpoint store is. The URL may hold a password: show {@link describeDatabase} instead. */
export type DatabaseLocation = { kind: 'sqlite'; file: string } | { kind: 'postgres'; url: string }

const text = z.string().min(1, 'a value, or no such variable')

const environmentSchema = z.object({
  SYNC_DATA_DIR: text.default('.external-sync'),
  DATABASE_URL: text
    .refine(
      (url) => isAbsoluteFileUrl(url) || isPostgresUrl(url),
      'postgres://user:password@host/database, or a file URL such as file:///var/lib/sync/endpoints.db',
    )
    .optional(),
  SYNC_ENCRYPTION_KEYS: text.optional(),
  SYNC_ENCRYPT_PAYLOADS: z.enum(['true', 'false'], 'true or false').default('false'),
  SYNC_CODEC_TOKEN: z.string().regex(CODEC_TOKEN, CODEC_TOKEN_ACCEPTED).optional(),
  SYNC_CODEC_ORIGINS: z
    .string()
    .transform((origins) => origins.split(',').flatMap((origin) => origin.trim() || []))
    .pipe(z.array(z.string().refine(isOrigin, 'an origin such as https://temporal.city.example')))
    .optional(),
  SYNC_API_TOKENS: z
    .string()
    .transform((tokens) => tokens.split(',').map((token) => token.trim()))
    .pipe(z.array(z.string().regex(API_TOKEN_ENTRY, API_TOKENS_ACCEPTED).transform(parseApiToken)))
    .optional(),
  SYNC_API_RATE_LIMIT: z
    .string()
    .regex(/^\d{1,7}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().min(1, 'at least 1'))
    .optional(),
  SYNC_METRICS_ADDRESS: z
    .string()
    .transform(parseMetricsAddress)
    .refine((address) => address !== undefined, 'an address and a port, such as 127.0.0.1:9464 or [::1]:9464')
    .optional(),
  SYNC_TEMPORAL_UI_URL: z
    .string()
    .refine(isWebUrl, 'an http or https URL such as https://temporal.city.example')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  SYNC_TASK_QUEUE: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, '1 to 100 letters, digits, ".", "_" and "-"')
    .default('external-sync'),
  SYNC_TEMPORAL_PATH: text.optional(),
  SYNC_TEST_SERVER_PATH: text.optional(),
  SYNC_LOG_LEVEL: z.enum(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`).optional(),
  SYNC_ALLOW_NETWORKS: z.string().transform(parseNetworks).optional(),
  SYNC_EXPRESS_ATTEMPTS: z.enum(['true', 'false'], 'true or false').default('true'),
  SYNC_GROUPING: z.enum(['off', 'auto'], 'off or auto').default('off'),
  SYNC_MAX_DATA_BYTES: z
    .string()
    .regex(/^\d{1,15}$/, 'a whole number')
    .transform(Number)
    .pipe(z.number().min(1, 'at least 1').max(LARGEST_MAX_DATA_BYTES, `at most ${LARGEST_MAX_DATA_BYTES}`))
    .default(DEFAULT_MAX_DATA_BYTES),
})

/**
 * Reads the configuration.
 * @throws {InvalidInputError} naming each variable that is not accepted, all together
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const parsed = parseInput(environmentSchema, env, {
    subject: 'environment',
    sensitive: ['DATABASE_URL', 'SYNC_ENCRYPTION_KEYS', 'SYNC_CODEC_TOKEN', 'SYNC_API_TOKENS'],
  })
  const dataDir = resolve(parsed.SYNC_DATA_DIR)
  return Object.freeze({
    dataDir,
    database: databaseLocation(parsed.DATABASE_URL, dataDir),
    ...(parsed.SYNC_ENCRYPTION_KEYS !== undefined && {
      encryptionKeys: new KeyRing(parseKeys(parsed.SYNC_ENCRYPTION_KEYS, 'SYNC_ENCRYPTION_KEYS')),
    }),
    encryptPayloads: parsed.SYNC_ENCRYPT_PAYLOADS === 'true',
    ...(parsed.SYNC_CODEC_TOKEN !== undefined && { codecToken: parsed.SYNC_CODEC_TOKEN }),
    ...(parsed.SYNC_CODEC_ORIGINS !== undefined && { codecOrigins: parsed.SYNC_CODEC_ORIGINS }),
    ...(parsed.SYNC_API_TOKENS !== undefined && { apiTokens: parsed.SYNC_API_TOKENS }),
    ...(parsed.SYNC_API_RATE_LIMIT !== undefined && { apiRateLimit: parsed.SYNC_API_RATE_LIMIT }),
    ...(parsed.SYNC_METRICS_ADDRESS !== undefined && { metricsAddress: parsed.SYNC_METRICS_ADDRESS }),
    ...(parsed.SYNC_TEMPORAL_UI_URL !== undefined && { temporalUiUrl: parsed.SYNC_TEMPORAL_UI_URL }),
    cacheDir: defaultCacheDir(env),
    taskQueue: parsed.SYNC_TASK_QUEUE,
    maxDataBytes: parsed.SYNC_MAX_DATA_BYTES,
    grouping: parsed.SYNC_GROUPING,
    expressAttempts: parsed.SYNC_EXPRESS_ATTEMPTS === 'true',
    ...(parsed.SYNC_ALLOW_NETWORKS !== undefined && { allowNetworks: parsed.SYNC_ALLOW_NETWORKS }),
    temporal: loadTemporalConfig(env),
    ...(parsed.SYNC_TEMPORAL_PATH !== undefined && { temporalPath: parsed.SYNC_TEMPORAL_PATH }),
    ...(parsed.SYNC_TEST_SERVER_PATH !== undefined && { testServerPath: parsed.SYNC_TEST_SERVER_PATH }),
    ...(parsed.SYNC_LOG_LEVEL !== undefined && { logLevel: parsed.SYNC_LOG_LEVEL }),
    ...(env['PATH'] !== undefined && { searchPath: env['PATH'] }),
  })
}

/** What the embedded mode and the tests may reach unless told otherwise: this machine alone. */
export const LOOPBACK_NETWORKS: readonly string[] = ['127.0.0.0/8', '::1']

/** The file of the embedded Temporal server. */
export function temporalDataFile({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'temporal.db')
}

/** The file of the keys where `SYNC_ENCRYPTION_KEYS` holds none. */
export function keyFile({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'encryption-keys')
}

/** Names the endpoint store without a password. */
export function describeDatabase(database: DatabaseLocation): string {
  if (database.kind === 'sqlite') return database.file
  const { hostname, port, pathname } = new URL(database.url)
  return `postgres://${hostname}${port === '' ? '' : `:${port}`}${pathname}`
}

function databaseLocation(url: string | undefined, dataDir: string): DatabaseLocation {
  if (url === undefined) return { kind: 'sqlite', file: join(dataDir, 'endpoints.db') }
  return isPostgresUrl(url) ? { kind: 'postgres', url } : { kind: 'sqlite', file: fileURLToPath(url) }
}

/** RFC 3986 with the schemes of libpq (PostgreSQL documentation, section 34.1.1.2). */
function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:\/\/[^/]*\/[^/]+$/.test(url) && URL.canParse(url)
}

/** RFC 6454, section 6.2: scheme, host and port only. */
function isOrigin(given: string): boolean {
  return /^https?:/.test(given) && URL.canParse(given) && new URL(given).origin === given
}

/** A link to it does nothing but go there. */
function isWebUrl(given: string): boolean {
  return /^https?:\/\//.test(given) && URL.canParse(given)
}

/** Relative paths are refused: the URL standard reads `file:endpoints.db` as `/endpoints.db`. */
function isAbsoluteFileUrl(url: string): boolean {
  try {
    return url.startsWith('file:///') && isAbsolute(fileURLToPath(url))
  } catch {
    return false
  }
}

function parseMetricsAddress(address: string): MetricsAddress | undefined {
  const [, ip4, ip6, port] = /^(?:([\d.]+)|\[([\da-f:.]+)\]):(\d{1,5})$/i.exec(address) ?? []
  const ip = ip4 ?? ip6 ?? ''
  return isIP(ip) !== 0 && Number(port) <= 65_535 ? { ip, port: Number(port) } : undefined
}
