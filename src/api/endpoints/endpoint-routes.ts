import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { EndpointChanges, EndpointSettings, Registration, SyncService } from '../../client.js'
import { answer, problems } from '../problem-schema.js'
import { by } from './changed-by.js'
import {
  changedAnswer,
  endpointAnswer,
  endpointChangesSchema,
  endpointPath,
  endpointsAnswer,
  endpointSettingsSchema,
  namedSettingsSchema,
  removalQuery,
} from './endpoint-schemas.js'

type EndpointService = Pick<
  SyncService,
  'registerEndpoint' | 'updateEndpoint' | 'removeEndpoint' | 'getEndpoint' | 'listEndpoints'
>

const admin = { role: 'admin' } as const
const operate = { role: 'operate' } as const
const tags = ['endpoints']

/** Registered endpoints: reading, registering, changing and removing them. */
export function addEndpointRoutes(app: FastifyInstance, { service }: { service: EndpointService }): void {
  const routes = app.withTypeProvider<ZodTypeProvider>()

  const register = async (
    { caller }: FastifyRequest,
    reply: FastifyReply,
    name: string,
    settings: object,
  ): Promise<object> => {
    // What it is exactly is checked by the service, as a whole.
    const result: Registration = await service.registerEndpoint(
      name,
      settings as EndpointSettings,
      by(caller),
    )
    void reply.code(result === 'created' ? 201 : 200).header('location', `/v1/endpoints/${name}`)
    return { result, endpoint: await service.getEndpoint(name) }
  }
  const registered = {
    200: answer('It was registered before; its settings are these now.', changedAnswer),
    201: answer('It is registered.', changedAnswer),
    ...problems(413, 415),
  }

  routes.get(
    '/v1/endpoints',
    {
      config: operate,
      schema: {
        operationId: 'listEndpoints',
        tags,
        summary: 'All endpoints by name',
        response: { 200: answer('All endpoints.', endpointsAnswer), ...problems() },
      },
    },
    async () => ({ endpoints: await service.listEndpoints() }),
  )

  routes.post(
    '/v1/endpoints',
    {
      config: admin,
      schema: {
        operationId: 'registerEndpoint',
        tags,
        summary: 'Register an endpoint with exactly these settings',
        description: 'The same settings again change nothing; others replace them, and release what waits.',
        body: namedSettingsSchema,
        response: registered,
      },
    },
    (request, reply) => {
      const { name, ...settings } = request.body
      return register(request, reply, name, settings)
    },
  )

  routes.put(
    '/v1/endpoints/:name',
    {
      config: admin,
      schema: {
        operationId: 'putEndpoint',
        tags,
        summary: 'Register an endpoint with exactly these settings',
        description: 'The same settings again change nothing; others replace them, and release what waits.',
        params: endpointPath,
        body: endpointSettingsSchema,
        response: registered,
      },
    },
    (request, reply) => register(request, reply, request.params.name, request.body),
  )

  routes.get(
    '/v1/endpoints/:name',
    {
      config: operate,
      schema: {
        operationId: 'getEndpoint',
        tags,
        summary: 'An endpoint, without its secrets',
        params: endpointPath,
        response: { 200: answer('The endpoint.', endpointAnswer), ...problems(404) },
      },
    },
    ({ params: { name } }) => service.getEndpoint(name),
  )

  routes.patch(
    '/v1/endpoints/:name',
    {
      config: admin,
      schema: {
        operationId: 'updateEndpoint',
        tags,
        summary: 'Change some settings and keep the others',
        description:
          'Each setting that is given replaces the one that was; `null` takes it away. Releases what waits.',
        params: endpointPath,
        body: endpointChangesSchema,
        response: {
          200: answer('The endpoint as it is now.', changedAnswer),
          ...problems(404, 409, 413, 415),
        },
      },
    },
    async ({ params: { name }, body, caller }) => ({
      result: await service.updateEndpoint(name, withoutNulls(body) as EndpointChanges, by(caller)),
      endpoint: await service.getEndpoint(name),
    }),
  )

  routes.delete(
    '/v1/endpoints/:name',
    {
      config: admin,
      schema: {
        operationId: 'removeEndpoint',
        tags,
        summary: 'Remove an endpoint',
        params: endpointPath,
        querystring: removalQuery,
        response: { 204: z.undefined().describe('It is removed.'), ...problems(404, 409, 413, 415) },
      },
    },
    async ({ params: { name }, query: { discardWaiting }, caller }, reply) => {
      await service.removeEndpoint(name, { discardWaiting: discardWaiting === 'true', ...by(caller) })
      return reply.code(204).send()
    },
  )
}

/** `null` on the wire is `undefined` here. */
function withoutNulls(changes: object): object {
  return Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value ?? undefined]))
}
