import { SECRET_SETTINGS, type EndpointSettings } from '../domain/endpoint.js'
import { InvalidInputError, SyncError } from '../domain/errors.js'
import { parseEndpoint } from '../domain/parse-endpoint.js'
import type { KeyRing, SealContext, Sealed } from '../encryption/key-ring.js'
import type { EndpointRow } from './store-database.js'

/** A URL may hold a token in its path or query. */
const SEALED_SETTINGS: readonly string[] = [...SECRET_SETTINGS, 'url']

/** A row's settings as stored, whether or not they are accepted today, and what is wrong with them. */
export interface StoredSettings {
  /** What cannot be read is absent. */
  settings: EndpointSettings
  problem?: string
  /** Whether a secret cannot be opened, so that an update of the rest would lose it. */
  isUnreadable?: true
  /** The key that it needs and that is not there. */
  missingKey?: string
}

type SettingsColumns = Pick<EndpointRow, 'settings' | 'credentials'>

/** The settings as they are stored: what is secret is encrypted, bound to its endpoint and field. */
export function toColumns(name: string, settings: EndpointSettings, keys: KeyRing): SettingsColumns {
  const plain: Record<string, unknown> = {}
  const sealed: Record<string, string> = {}
  for (const [field, value] of Object.entries(settings)) {
    if (SEALED_SETTINGS.includes(field))
      sealed[field] = sealText(JSON.stringify(value), contextOf(name, field), keys)
    else plain[field] = value
  }
  return { settings: JSON.stringify(plain), credentials: JSON.stringify(sealed) }
}

export function readColumns(row: Pick<EndpointRow, 'name'> & SettingsColumns, keys: KeyRing): StoredSettings {
  const plain = parseObject(row.settings)
  const sealed = parseObject(row.credentials)
  const settings: Record<string, unknown> = { ...plain }
  try {
    if (plain === undefined) throw new SyncError('DECRYPTION_FAILED', 'the stored settings cannot be read')
    if (sealed === undefined)
      throw new SyncError('DECRYPTION_FAILED', 'the stored credentials cannot be read')
    for (const [field, text] of Object.entries(sealed)) {
      settings[field] = JSON.parse(unsealText(text, contextOf(row.name, field), keys))
    }
  } catch (error) {
    if (!(error instanceof SyncError)) throw error
    const missingKey =
      error.code === 'ENCRYPTION_KEY_MISSING' ? keyIdsIn(row).find((id) => !keys.has(id)) : undefined
    return {
      settings: settings as unknown as EndpointSettings,
      isUnreadable: true,
      problem: missingKey === undefined ? `${error.message}; register the endpoint anew` : error.message,
      ...(missingKey !== undefined && { missingKey }),
    }
  }
  return checked(row.name, settings as unknown as EndpointSettings)
}

/** The keys that a row's credentials are under. */
export function keyIdsIn({ credentials }: Pick<EndpointRow, 'credentials'>): string[] {
  const texts = Object.values(parseObject(credentials) ?? {})
  return [...new Set(texts.flatMap((text) => parseSealed(text)?.keyId ?? []))]
}

/** Encrypts a text and says in it which key opens it. */
export function sealText(text: string, context: SealContext, keys: KeyRing): string {
  const { keyId, bytes } = keys.seal(Buffer.from(text), context)
  return `v1.${keyId}.${Buffer.from(bytes).toString('base64url')}`
}

/** @throws {SyncError} `ENCRYPTION_KEY_MISSING` or `DECRYPTION_FAILED` */
export function unsealText(text: unknown, context: SealContext, keys: KeyRing): string {
  const sealed = parseSealed(text)
  const what = context.associatedData
  if (sealed === undefined)
    throw new SyncError('DECRYPTION_FAILED', `${what} is not encrypted as it should be`)
  try {
    return Buffer.from(keys.unseal(sealed, context)).toString()
  } catch (cause) {
    if (!(cause instanceof SyncError)) throw cause
    throw new SyncError(cause.code, `${what}: ${cause.message}`, { cause })
  }
}

function contextOf(name: string, field: string): SealContext {
  return { purpose: 'external-sync/endpoint', associatedData: `${name}/${field}` }
}

function parseSealed(text: unknown): Sealed | undefined {
  const match = typeof text === 'string' ? /^v1\.(.+)\.([A-Za-z0-9_-]*)$/.exec(text) : null
  return match === null
    ? undefined
    : { keyId: match[1] ?? '', bytes: Buffer.from(match[2] ?? '', 'base64url') }
}

function checked(name: string, settings: EndpointSettings): StoredSettings {
  try {
    parseEndpoint(name, settings)
    return { settings }
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error
    return { settings, problem: `what is stored is not accepted: ${error.message}` }
  }
}

/** Without the cause: a syntax error quotes the text. */
function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
