import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { SyncService } from '../../client.js'
import { definedIn, limitUpTo, textCursor } from '../page-query.js'
import { answer, problems } from '../problem-schema.js'
import {
  deliveryPageSchema,
  deliveryPath,
  deliverySchema,
  discardBody,
  eventPageSchema,
  eventPath,
  eventsQuery,
} from './event-schemas.js'

const MAX_DELIVERIES = 100

interface EventParts {
  service: Pick<SyncService, 'listEvents' | 'deliveries' | 'retryDelivery' | 'discardDelivery'>
}

/** Where events and their deliveries stand, and what an operator does about it. */
export function addEventRoutes(app: FastifyInstance, { service }: EventParts): void {
  const routes = app.withTypeProvider<ZodTypeProvider>()
  const config = { role: 'operate' } as const

  routes.get(
    '/v1/events',
    {
      config,
      schema: {
        operationId: 'listEvents',
        tags: ['events'],
        summary: 'Events, such as those that wait for an endpoint',
        querystring: eventsQuery,
        response: { 200: answer('A page of events.', eventPageSchema), ...problems() },
      },
    },
    ({ query }) => service.listEvents(definedIn(query)),
  )

  routes.get(
    '/v1/events/:type/:id',
    {
      config,
      schema: {
        operationId: 'getEvent',
        tags: ['events'],
        summary: 'Where the deliveries of an event stand',
        params: eventPath,
        querystring: z.strictObject({ limit: limitUpTo(MAX_DELIVERIES, MAX_DELIVERIES), cursor: textCursor }),
        response: { 200: answer('A page of deliveries.', deliveryPageSchema), ...problems(404) },
      },
    },
    async ({ params: { type, id }, query }) => ({
      type,
      id,
      ...(await service.deliveries(type, id, definedIn(query))),
    }),
  )

  routes.post(
    '/v1/events/:type/:id/deliveries/:endpoint/retry',
    {
      config,
      schema: {
        operationId: 'retryDelivery',
        tags: ['deliveries'],
        summary: 'Begin a new attempt at once',
        params: deliveryPath,
        response: {
          200: answer('The delivery as it is now.', deliverySchema),
          ...problems(404, 409, 413, 415),
        },
      },
    },
    ({ params: { type, id, endpoint } }) => service.retryDelivery(type, id, endpoint),
  )

  routes.post(
    '/v1/events/:type/:id/deliveries/:endpoint/discard',
    {
      config,
      schema: {
        operationId: 'discardDelivery',
        tags: ['deliveries'],
        summary: 'Give a delivery up; the reason stays on record',
        params: deliveryPath,
        body: discardBody,
        response: {
          200: answer('The delivery as it ended.', deliverySchema),
          ...problems(404, 409, 413, 415),
        },
      },
    },
    ({ params: { type, id, endpoint }, body: { reason } }) =>
      service.discardDelivery(type, id, endpoint, reason),
  )
}
