import { z } from 'zod'
import { endpointNameSchema, settingsSchema } from '../../domain/parse-endpoint.js'
import { flag, nextCursor } from '../page-query.js'

export const endpointPath = z.object({ name: endpointNameSchema })

const { authToken, auth, tls, signingSecrets, headers, ...shown } = settingsSchema.shape
const writeOnly = { writeOnly: true }

/** The settings of an endpoint as they are given; secrets are never shown again. */
export const endpointSettingsSchema = z
  .strictObject(
    {
      ...shown,
      authToken: authToken.meta({
        ...writeOnly,
        description: 'The whole value of the `Authorization` header.',
      }),
      auth: auth.meta({ ...writeOnly, description: 'Another way to authenticate than `authToken`.' }),
      tls: tls.meta({ ...writeOnly, description: 'PEM texts, for a private CA and mutual TLS.' }),
      signingSecrets: signingSecrets.meta({
        ...writeOnly,
        description: 'One or two secrets that sign each request as Standard Webhooks describes.',
      }),
      headers: headers.meta({ ...writeOnly, description: 'Extra headers of each request.' }),
    },
    'an object of endpoint settings',
  )
  .meta({ id: 'EndpointSettings', description: 'How events are delivered to an endpoint.' })

/** The settings with the name that they are registered under. */
export const namedSettingsSchema = endpointSettingsSchema
  .extend({ name: endpointNameSchema })
  .meta({ id: 'NamedEndpointSettings', description: 'A name, and how events are delivered to the endpoint.' })

/** A part of the settings; `null` takes one away. */
export const endpointChangesSchema = z
  .strictObject(
    {
      ...mapValues(endpointSettingsSchema.shape, (setting) => setting.nullable().optional()),
      url: settingsSchema.shape.url.optional(),
    },
    'an object of endpoint settings',
  )
  .meta({ id: 'EndpointChanges', description: 'Settings to change; `null` takes one away.' })

const timestamp = z.iso.datetime()
const stored = {
  name: z.string(),
  state: z.enum(['active', 'paused']),
  version: z.string().meta({ description: 'Changes with every change of the settings or the state.' }),
  createdAt: timestamp,
  updatedAt: timestamp,
}

const usableSchema = z
  .object({
    ...stored,
    ...shown,
    authTokenHint: z.string().optional(),
    authType: z.enum(['basic', 'header', 'oauth2']).optional(),
    tlsParts: z.array(z.string()).optional(),
    signingSecretHints: z.array(z.string()).optional(),
    headerNames: z.array(z.string()).optional(),
  })
  .meta({ id: 'UsableEndpoint', description: 'Of its secrets only which there are, with a hint.' })

const unusableSchema = z
  .object({
    ...stored,
    events: z.array(z.string()).optional(),
    problem: z.string().meta({ description: 'What of its settings is not accepted, or cannot be read.' }),
    missingKey: z.string().optional(),
  })
  .meta({ id: 'UnusableEndpoint', description: 'Its deliveries wait until it is registered anew.' })

/** An endpoint as it is shown. */
const endpointSchema = z.union([usableSchema, unusableSchema]).meta({ id: 'Endpoint' })

export const endpointsAnswer = z.object({ endpoints: z.array(endpointSchema) })
export { endpointSchema as endpointAnswer }

/** What a change came to. */
export const changedAnswer = z.object({
  result: z.enum(['created', 'updated', 'unchanged']),
  endpoint: endpointSchema,
})

export const removalQuery = z.strictObject({
  discardWaiting: flag.meta({
    description: 'Discard the deliveries that wait for it. Default: false, which refuses with 409.',
  }),
})

/** What an endpoint answers to a test. */
export const testReportSchema = z
  .object({
    outcome: z.enum(['delivered', 'retry', 'down', 'misconfigured', 'rejected', 'paused']),
    status: z.int().optional(),
    error: z.string().optional(),
    firstByteMs: z.number().optional(),
    durationMs: z.number(),
    tls: z.object({ protocol: z.string(), issuer: z.string(), validTo: z.string() }).optional(),
    excerpt: z.string().optional(),
  })
  .meta({ id: 'TestReport', description: 'What came of one request, and what a delivery would do about it.' })

/** A new signing secret, shown once. */
export const rotatedSecretSchema = z
  .union([
    z.object({ signingSecret: z.string().meta({ description: '`whsec_…`: give it to the receiver.' }) }),
    z.object({ publicKey: z.string().meta({ description: '`whpk_…`: give it to the receiver.' }) }),
  ])
  .meta({ id: 'RotatedSecret' })

/** Who changed an endpoint, when and which settings. */
export const historyAnswer = z.object({
  changes: z.array(
    z
      .object({
        revision: z.int(),
        endpoint: z.string(),
        at: timestamp,
        actor: z.string(),
        action: z.enum(['created', 'updated', 'paused', 'resumed', 'removed']),
        fields: z.array(z.string()),
      })
      .meta({ id: 'EndpointChange' }),
  ),
  nextCursor,
})

function mapValues<T extends object, R>(object: T, map: (value: T[keyof T]) => R): { [Name in keyof T]: R } {
  const entries = Object.entries(object) as [keyof T, T[keyof T]][]
  return Object.fromEntries(entries.map(([name, value]) => [name, map(value)])) as { [Name in keyof T]: R }
}
