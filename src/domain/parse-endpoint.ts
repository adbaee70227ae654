import { z } from 'zod'
import { MAX_ATTEMPT_TIMEOUT_MS } from './attempt-limits.js'
import { SECRET_SETTINGS, type EndpointSettings } from './endpoint.js'
import { expressionProblem } from './expression-problem.js'
import { FORMAT_NAMES } from './formats/format-names.js'
import {
  authSchema,
  headerNameSchema,
  headerValueSchema,
  signingSecretSchema,
  tlsSchema,
} from './parse-endpoint-auth.js'
import { parseInput, showValue } from './parse-input.js'
import { MAX_ATTEMPTS_PER_SECOND } from './rate-limit.js'
import { ACCEPTED_URL, isAcceptedUrl } from './accepted-url.js'
import { wholeNumberUpTo } from './whole-number.js'

const DAY_MS = 24 * 60 * 60_000

/** What an endpoint's name may be. */
export const endpointNameSchema = z
  .string('a string')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    '1 to 64 letters, digits, "." "_" and "-", a letter or digit first',
  )

/** An event type, or all that begin so. */
export const filterSchema = z
  .string('a string')
  .max(102, 'at most 102 characters')
  .regex(
    /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\.\*)?$/,
    'an event type such as policy.approved, or policy.* for all that begin so',
  )

const expressionSchema = z
  .string('a JSONata expression')
  .min(1, 'a JSONata expression')
  .max(10_000, 'at most 10,000 characters')
  .superRefine((expression, context) => {
    const problem = expressionProblem(expression)
    if (problem !== undefined)
      context.addIssue({ code: 'custom', message: `a JSONata expression (${problem})` })
  })

const connectorSchema = z.union(
  [
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'the name of a connector'),
    z.strictObject({
      method: expressionSchema.optional(),
      path: expressionSchema.optional(),
      headers: z.record(headerNameSchema, expressionSchema).optional(),
      body: expressionSchema.optional(),
    }),
  ],
  'the name of a connector, or a mapping of method, path, headers and body to JSONata expressions',
)

const retrySchema = z.strictObject(
  {
    initialIntervalMs: milliseconds(100, 60 * 60_000).optional(),
    backoffCoefficient: z.number('a number').min(1, 'at least 1').max(10, 'at most 10').optional(),
    maximumIntervalMs: milliseconds(1_000, 60 * 60_000).optional(),
    slowIntervalMs: milliseconds(1_000, 7 * DAY_MS).optional(),
    expireAfterMs: milliseconds(1_000, 3_650 * DAY_MS).optional(),
  },
  'an object of retry settings',
)

/** Each setting by itself. */
export const settingsSchema = z.strictObject(
  {
    url: z.string('a URL').refine(isAcceptedUrl, ACCEPTED_URL),
    authToken: headerValueSchema.optional(),
    auth: authSchema.optional(),
    tls: tlsSchema.optional(),
    signingSecrets: z
      .array(signingSecretSchema, 'an array of secrets')
      .min(1, 'at least one secret, or none of the setting')
      .max(2, 'at most 2 secrets, of which one replaces the other')
      .optional(),
    events: z
      .array(filterSchema, 'an array of event types')
      .min(1, 'at least one event type, or no filter for all')
      .max(100, 'at most 100 event types')
      .optional(),
    format: z.enum(FORMAT_NAMES, `one of ${FORMAT_NAMES.join(', ')}`).optional(),
    connector: connectorSchema.optional(),
    headers: z
      .record(headerNameSchema, headerValueSchema, 'an object of header values')
      .refine((headers) => Object.keys(headers).length <= 50, 'at most 50 headers')
      .optional(),
    retry: retrySchema.optional(),
    attemptTimeoutMs: milliseconds(100, MAX_ATTEMPT_TIMEOUT_MS).optional(),
    maxConcurrentAttempts: wholeNumberUpTo(1_000).optional(),
    maxAttemptsPerSecond: z
      .number('a number')
      .min(0.01, 'at least 0.01')
      .max(MAX_ATTEMPTS_PER_SECOND, `at most ${MAX_ATTEMPTS_PER_SECOND}`)
      .optional(),
  },
  'an object of endpoint settings',
)

/** The settings beside each other. */
const completeSettingsSchema = settingsSchema
  .refine(({ authToken, auth }) => authToken === undefined || auth === undefined, {
    path: ['auth'],
    error: 'either authToken or auth',
  })
  .refine(({ format, connector }) => format === undefined || connector === undefined, {
    path: ['connector'],
    error: 'either format or connector',
  })

const endpointSchema = z.object({ name: endpointNameSchema, settings: completeSettingsSchema })

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
      sensitive: isNamed ? SECRET_SETTINGS : [...SECRET_SETTINGS, 'name'],
      urls: ['url'],
    },
  )
  return withoutUndefined(parsed.settings)
}

function milliseconds(min: number, max: number) {
  const accepted = `milliseconds from ${min} to ${max}`
  return z.number(accepted).int(accepted).min(min, accepted).max(max, accepted)
}

/** Equal settings are equal objects: what is not set is absent. */
function withoutUndefined(settings: z.infer<typeof settingsSchema>): EndpointSettings {
  return JSON.parse(JSON.stringify(settings)) as EndpointSettings
}
