import type { FastifyInstance, FastifySchemaCompiler } from 'fastify'
import { z } from 'zod'
import { SECRET_SETTINGS } from '../domain/endpoint.js'
import { parseInput } from '../domain/parse-input.js'

const PART_NAMES: Readonly<Record<string, string>> = { body: 'body', querystring: 'query', params: 'path' }

/** Checks a part of a request as every other input is checked; no secret's value is shown. */
export const validateByZod: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart = '' }) => {
  const subject = PART_NAMES[httpPart] ?? httpPart
  const description = { subject, wrapper: subject, sensitive: SECRET_SETTINGS, urls: ['url'] }
  return (input: unknown) => {
    try {
      return { value: parseInput(schema, input, description) }
    } catch (error) {
      return { error: error as Error }
    }
  }
}

/** Checks requests by zod, answers by nothing: what they are is documented, and held to that by tests. */
export function validateRequests(app: FastifyInstance): void {
  app.setValidatorCompiler(validateByZod)
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  // A parameter that is not known is a mistake, such as a misspelt one.
  app.addHook('onRoute', ({ config, schema }) => {
    if (config?.role !== undefined && schema !== undefined) schema.querystring ??= z.strictObject({})
  })
}
