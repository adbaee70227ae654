import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ChangeOptions, SyncService } from '../../client.js'
import { SyncError } from '../../domain/errors.js'
import { countCursor, limitUpTo } from '../page-query.js'
import { answer, problems } from '../problem-schema.js'
import { by } from './changed-by.js'
import {
  changedAnswer,
  endpointPath,
  historyAnswer,
  rotatedSecretSchema,
  testReportSchema,
} from './endpoint-schemas.js'

const MAX_CHANGES = 1_000
const DEFAULT_CHANGES = 100

type OperationService = Pick<
  SyncService,
  | 'pauseEndpoint'
  | 'resumeEndpoint'
  | 'testEndpoint'
  | 'rotateSigningSecret'
  | 'endpointHistory'
  | 'getEndpoint'
>

const operate = { role: 'operate' } as const
const tags = ['endpoints']

/** What is done with a registered endpoint, and what was done. */
export function addEndpointOperationRoutes(
  app: FastifyInstance,
  { service }: { service: OperationService },
): void {
  const routes = app.withTypeProvider<ZodTypeProvider>()

  for (const { operation, summary, change } of [
    {
      operation: 'pause',
      summary: 'Keep everything for an endpoint until it is resumed',
      change: (name: string, options: ChangeOptions) => service.pauseEndpoint(name, options),
    },
    {
      operation: 'resume',
      summary: 'Deliver again, first of all what waits',
      change: (name: string, options: ChangeOptions) => service.resumeEndpoint(name, options),
    },
  ]) {
    routes.post(
      `/v1/endpoints/:name/${operation}`,
      {
        config: operate,
        schema: {
          operationId: `${operation}Endpoint`,
          tags,
          summary,
          params: endpointPath,
          response: { 200: answer('The endpoint as it is now.', changedAnswer), ...problems(404, 413, 415) },
        },
      },
      async ({ params: { name }, caller }) => ({
        result: await change(name, by(caller)),
        endpoint: await service.getEndpoint(name),
      }),
    )
  }

  routes.post(
    '/v1/endpoints/:name/test',
    {
      config: operate,
      schema: {
        operationId: 'testEndpoint',
        tags,
        summary: 'Send one external-sync.ping to an endpoint, and say what came of it',
        params: endpointPath,
        response: { 200: answer('What came of it.', testReportSchema), ...problems(404, 409, 413, 415) },
      },
    },
    ({ params: { name } }) => service.testEndpoint(name),
  )

  routes.post(
    '/v1/endpoints/:name/rotate-secret',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'rotateSigningSecret',
        tags,
        summary: 'Sign with a new secret',
        description:
          'The new secret is shown in this answer alone. The one before signs beside it until the next rotation, ' +
          'or until `signingSecrets` is set.',
        params: endpointPath,
        response: {
          200: answer('What the receiver needs.', rotatedSecretSchema),
          ...problems(404, 409, 413, 415),
        },
      },
    },
    ({ params: { name }, caller }) => service.rotateSigningSecret(name, by(caller)),
  )

  routes.get(
    '/v1/endpoints/:name/history',
    {
      config: operate,
      schema: {
        operationId: 'getEndpointHistory',
        tags,
        summary: 'The changes of an endpoint, latest first, also of one that was removed',
        params: endpointPath,
        querystring: z.strictObject({ limit: limitUpTo(MAX_CHANGES, DEFAULT_CHANGES), cursor: countCursor }),
        response: { 200: answer('A page of changes.', historyAnswer), ...problems(404) },
      },
    },
    async ({ params: { name }, query: { limit = DEFAULT_CHANGES, cursor: before } }) => {
      const changes = await service.endpointHistory(name, { limit, ...(before !== undefined && { before }) })
      if (changes.length === 0 && before === undefined) {
        throw new SyncError('ENDPOINT_NOT_FOUND', `endpoint ${JSON.stringify(name)} was never registered`)
      }
      const last = changes.length < limit ? undefined : changes.at(-1)
      return { changes, ...(last !== undefined && { nextCursor: String(last.revision) }) }
    },
  )
}
