import { z } from 'zod'
import { parseInput, showValue } from './parse-input.js'

/** Settings of a registered external system, as its owner gives them. */
export interface EndpointSettings {
  /** Where deliveries are posted: http or https, without credentials, at most 2,048 characters. */
  url: string
  /** The `Authorization` header, exactly as it is sent (RFC 9110, section 11.6.2). A secret. @default none */
  authToken?: string
  /** Event types that are delivered: exact names, and `policy.*` for all that begin so. @default all */
  events?: string[]
}

/** What `updateEndpoint` takes: a part of the settings; `undefined` takes one away. */
export type EndpointChanges = { [Name in keyof EndpointSettings]?: EndpointSettings[Name] | undefined }

/** A registered external system, as the store keeps it. */
export interface Endpoint extends EndpointSettings {
  name: string
  /** Changes with every change of the settings. */
  version: string
  createdAt: string
  updatedAt: string
}

/** An endpoint as it is shown: its secrets are hints. */
export interface EndpointView extends Omit<Endpoint, 'authToken'> {
  /** The last four characters of a token of at least 16, so that an operator can tell two apart. */
  authTokenHint?: string
}

const MAX_URL_LENGTH = 2048
const ACCEPTED_URL = `an http:// or https:// URL without credentials and white space, at most ${MAX_URL_LENGTH} characters`

const nameSchema = z
  .string('a string')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    '1 to 64 letters, digits, "." "_" and "-", a letter or digit first',
  )

const filterSchema = z
  .string('a string')
  .max(102, 'at most 102 characters')
  .regex(
    /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?$/,
    'an event type such as policy.approved, or policy.* for all that begin so',
  )

const settingsSchema = z.strictObject(
  {
    url: z.string('a URL').refine(isAcceptedUrl, ACCEPTED_URL),
    authToken: z
      .string('a string')
      .regex(/^[\x21-\x7e\xa0-\xff]([\x20-\x7e\xa0-\xff]*[\x21-\x7e\xa0-\xff])?$/, {
        error:
          'a header value: Latin-1 characters without line breaks, no space at either end (value not shown)',
      })
      .max(8192, 'at most 8,192 characters (value not shown)')
      .optional(),
    events: z
      .array(filterSchema, 'an array of event types')
      .min(1, 'at least one event type, or no filter for all')
      .max(100, 'at most 100 event types')
      .optional(),
  },
  'an object of endpoint settings',
)

const endpointSchema = z.object({ name: nameSchema, settings: settingsSchema })

/**
 * Checks a name and its complete settings.
 * @throws {InvalidInputError} with all problems together; a secret's value is never shown
 */
export function parseEndpoint(name: string, settings: unknown): EndpointSettings {
  const isNamed = typeof name === 'string'
  const parsed = parseInput(
    endpointSchema,
    { name, settings },
    {
      subject: isNamed ? `endpoint ${showValue(name)}` : 'endpoint',
      wrapper: 'settings',
      // What is given in place of a name may be the settings.
      sensitive: isNamed ? ['authToken'] : ['authToken', 'name'],
      urls: ['url'],
    },
  )
  return settingsOf(parsed.settings)
}

/** The settings alone, of an endpoint too; those that are not set are absent. */
export function settingsOf({ url, authToken, events }: EndpointChanges & { url: string }): EndpointSettings {
  return { url, ...(authToken !== undefined && { authToken }), ...(events !== undefined && { events }) }
}

/** Whether an endpoint with this filter gets events of this type. */
export function subscribes({ events }: Pick<EndpointSettings, 'events'>, eventType: string): boolean {
  if (events === undefined) return true
  return events.some((filter) =>
    filter.endsWith('.*') ? eventType.startsWith(filter.slice(0, -1)) : filter === eventType,
  )
}

/** The endpoint as `getEndpoint` and `listEndpoints` show it. */
export function toView({ authToken, ...shown }: Endpoint): EndpointView {
  if (authToken === undefined) return shown
  return { ...shown, authTokenHint: authToken.length >= 16 ? `…${authToken.slice(-4)}` : '…' }
}

function isAcceptedUrl(value: string): boolean {
  // The parser of the URL standard strips or encodes white space, and needs no slashes.
  if (value.length > MAX_URL_LENGTH || !/^https?:\/\/[^\s/]\S*$/i.test(value) || !URL.canParse(value))
    return false
  const { username, password } = new URL(value)
  return username === '' && password === ''
}
