import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { SyncService } from '../../client.js'
import { definedIn } from '../page-query.js'
import { answer, problems } from '../problem-schema.js'
import { statusQuery, statusSchema } from './status-schemas.js'

interface StatusParts {
  service: Pick<SyncService, 'status'>
  /** Where the Temporal UI is. */
  temporalUiUrl: string | undefined
}

/** How everything stands, for the status page and for other dashboards. */
export function addStatusRoutes(app: FastifyInstance, { service, temporalUiUrl }: StatusParts): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    '/v1/status',
    {
      config: { role: 'operate' },
      schema: {
        operationId: 'getStatus',
        tags: ['status'],
        summary: 'Where each endpoint stands, the latest events, and the attempts of the last hour',
        description:
          'Costs the same however many endpoints there are and however much waits. Ask every few seconds, with ' +
          '`if-none-match`.',
        querystring: statusQuery,
        response: {
          200: answer('How everything stands.', statusSchema),
          304: z.undefined().describe('It is as `if-none-match` says.'),
          ...problems(),
        },
      },
    },
    async ({ query: { brief, ...query }, headers }, reply) => {
      const status = await service.status({ ...definedIn(query), brief: brief === 'true' })
      const body = JSON.stringify({ ...status, ...(temporalUiUrl !== undefined && { temporalUiUrl }) })
      const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
      void reply.header('etag', etag)
      if (headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type('application/json').send(body)
    },
  )
}
