import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { SyncService } from '../../client.js'
import { definedIn } from '../page-query.js'
import { answer, problems } from '../problem-schema.js'
import { replayPath, replaysAnswer, replaySchema, startReplaySchema } from './replay-schemas.js'

type ReplayService = Pick<
  SyncService,
  'startReplay' | 'getReplay' | 'listReplays' | 'pauseReplay' | 'resumeReplay' | 'cancelReplay'
>

const config = { role: 'operate' } as const
const tags = ['replays']

/** Sending past events to an endpoint again. */
export function addReplayRoutes(app: FastifyInstance, { service }: { service: ReplayService }): void {
  const routes = app.withTypeProvider<ZodTypeProvider>()

  routes.post(
    '/v1/replays',
    {
      config,
      schema: {
        operationId: 'startReplay',
        tags,
        summary: 'Send past events to an endpoint',
        description: 'It goes on in Temporal. `reachesBackTo` says from when on it has everything.',
        body: startReplaySchema,
        response: { 201: answer('It is started.', replaySchema), ...problems(404, 413, 415) },
      },
    },
    async ({ body: { endpoint, since, perSecond, ...options } }, reply) => {
      const replay = await service.startReplay({ endpoint, since, perSecond, ...definedIn(options) })
      return reply.code(201).header('location', `/v1/replays/${replay.id}`).send(replay)
    },
  )

  routes.get(
    '/v1/replays',
    {
      config,
      schema: {
        operationId: 'listReplays',
        tags,
        summary: 'The replays that Temporal still knows, the latest first',
        response: { 200: answer('All replays.', replaysAnswer), ...problems() },
      },
    },
    async () => ({ replays: await service.listReplays() }),
  )

  routes.get(
    '/v1/replays/:id',
    {
      config,
      schema: {
        operationId: 'getReplay',
        tags,
        summary: 'How far a replay is',
        params: replayPath,
        response: { 200: answer('The replay.', replaySchema), ...problems(404) },
      },
    },
    ({ params: { id } }) => service.getReplay(id),
  )

  for (const { operation, summary, change } of [
    {
      operation: 'pause',
      summary: 'Send no more until it is resumed; within a few seconds',
      change: (id: string) => service.pauseReplay(id),
    },
    {
      operation: 'resume',
      summary: 'Go on where it was paused',
      change: (id: string) => service.resumeReplay(id),
    },
    {
      operation: 'cancel',
      summary: 'Send no more, and give up what waits; within a few seconds',
      change: (id: string) => service.cancelReplay(id),
    },
  ]) {
    routes.post(
      `/v1/replays/:id/${operation}`,
      {
        config,
        schema: {
          operationId: `${operation}Replay`,
          tags,
          summary,
          params: replayPath,
          response: { 200: answer('The replay.', replaySchema), ...problems(404, 413, 415) },
        },
      },
      async ({ params: { id } }) => {
        await change(id)
        return service.getReplay(id)
      },
    )
  }
}
