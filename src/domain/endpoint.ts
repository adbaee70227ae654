import type { EndpointAuth, TlsSettings } from './endpoint-auth.js'
import type { FormatName } from './formats/format-names.js'
import { isOwn } from './reserved-types.js'
import type { RetryPolicy } from './retry-schedule.js'

/**
 * Maps an event to the request that one system's API wants. Each value is a JSONata expression
 * (https://docs.jsonata.org) over the event: `type`, `id`, `time`, `key`, and `data.…` for what it carries.
 */
export interface MappingConnector {
  /** POST, PUT, PATCH or DELETE. @default '"POST"' */
  method?: string
  /** Path and query below the endpoint's URL, such as `"schedules/" & $encodeUrlComponent(data.id)`. @default none */
  path?: string
  /** Expressions by header name; one that yields nothing sends no such header. @default none */
  headers?: Record<string, string>
  /** What is sent as JSON; nothing where it yields nothing. @default the event's data; nothing for DELETE */
  body?: string
}

/** Settings of a registered external system, as its owner gives them. */
export interface EndpointSettings {
  /** Where deliveries are sent: http or https, without credentials, at most 2,048 characters. */
  url: string
  /** The `Authorization` header, exactly as it is sent (RFC 9110, section 11.6.2). A secret. @default none */
  authToken?: string
  /** Another way to authenticate than `authToken`. @default none */
  auth?: EndpointAuth
  /** Certificates, for a private CA or mutual TLS. @default the system's CAs, no client certificate */
  tls?: TlsSettings
  /**
   * Secrets that sign each request as Standard Webhooks describes: `whsec_…` (HMAC) or `whsk_…` (ed25519).
   * Two sign while one replaces the other. @default unsigned
   */
  signingSecrets?: string[]
  /**
   * Event types that are delivered: exact names, and `policy.*` for all that begin so. @default all but this system's
   * own, `external-sync.*`
   */
  events?: string[]
  /** @default envelope */
  format?: FormatName
  /** For an API of its own: a mapping, or the name of a connector that the worker was given. @default the format */
  connector?: MappingConnector | string
  /** Extra headers of each request. Their values are treated as secrets. @default none */
  headers?: Record<string, string>
  /** How often and how long deliveries are retried. */
  retry?: Partial<RetryPolicy>
  /** How long one attempt may take, in milliseconds, at most 300000. @default 30000 */
  attemptTimeoutMs?: number
  /** Attempts that a worker makes at the same time at most. @default 100 */
  maxConcurrentAttempts?: number
  /** Attempts that are made in a second at most, from 0.01 to 1000. @default unlimited */
  maxAttemptsPerSecond?: number
}

/** Whether an endpoint gets its deliveries or has them kept until it is resumed. */
export type EndpointState = 'active' | 'paused'

/** A registered external system, as the store keeps it. */
export interface Endpoint extends EndpointSettings {
  name: string
  state: EndpointState
  /** Changes with every change of the settings or the state. */
  version: string
  /** RFC 3339. */
  createdAt: string
  /** RFC 3339. */
  updatedAt: string
}

/** What `updateEndpoint` takes: a part of the settings; `undefined` takes one away. */
export type EndpointChanges = { [Name in keyof EndpointSettings]?: EndpointSettings[Name] | undefined }

/** Settings that hold secrets; the store keeps them apart, and nothing shows them. */
export const SECRET_SETTINGS = ['authToken', 'auth', 'tls', 'signingSecrets', 'headers'] as const

type SecretSetting = (typeof SECRET_SETTINGS)[number]

/** An endpoint as it is shown: of its secrets only which there are, with a hint to tell two apart. */
export interface EndpointView extends Omit<Endpoint, SecretSetting> {
  authTokenHint?: string
  /** The kind of `auth`, such as `oauth2`. */
  authType?: EndpointAuth['type']
  /** Which of `ca`, `cert` and `key` are set. */
  tlsParts?: string[]
  signingSecretHints?: string[]
  headerNames?: string[]
}

/** Whether an endpoint with this filter gets events of this type. */
export function subscribes({ events }: Pick<EndpointSettings, 'events'>, eventType: string): boolean {
  // Those about the system itself are for who asks for them.
  if (events === undefined) return !isOwn(eventType)
  return events.some((filter) =>
    filter.endsWith('.*') ? eventType.startsWith(filter.slice(0, -1)) : filter === eventType,
  )
}

/** The endpoint as `getEndpoint` and `listEndpoints` show it. */
export function toView({ authToken, auth, tls, signingSecrets, headers, ...shown }: Endpoint): EndpointView {
  return {
    ...shown,
    ...(authToken !== undefined && { authTokenHint: hint(authToken) }),
    ...(auth !== undefined && { authType: auth.type }),
    ...(tls !== undefined && { tlsParts: Object.keys(tls) }),
    ...(signingSecrets !== undefined && { signingSecretHints: signingSecrets.map(hint) }),
    ...(headers !== undefined && { headerNames: Object.keys(headers) }),
  }
}

/** The last four characters of a secret that is long enough to spare them. */
function hint(secret: string): string {
  return secret.length >= 16 ? `…${secret.slice(-4)}` : '…'
}
