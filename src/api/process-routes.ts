import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { SyncService } from '../client.js'
import type { Metrics } from '../metrics/metrics.js'
import { answer, openProblems, problems } from './problem-schema.js'

interface ProcessParts {
  service: Pick<SyncService, 'checkReady'>
  metrics: Pick<Metrics, 'text' | 'contentType'>
}

const tags = ['process']
const statusAnswer = z.object({ status: z.literal('ok') })
const ok = { status: 'ok' } as const

/** What tells orchestrators and Prometheus how the process is. */
export function addProcessRoutes(app: FastifyInstance, { service, metrics }: ProcessParts): void {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        tags,
        summary: 'Whether the process lives',
        response: { 200: answer('It does.', statusAnswer), ...openProblems() },
      },
    },
    () => ok,
  )

  let check: Promise<void> | undefined
  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        tags,
        summary: 'Whether Temporal and the endpoint store answer, within 2 s',
        response: { 200: answer('They do.', statusAnswer), ...openProblems(503) },
      },
    },
    async () => {
      // Everybody may ask, so that many ask once.
      check ??= service.checkReady().finally(() => (check = undefined))
      await check
      return ok
    },
  )

  app.get(
    '/metrics',
    {
      config: { role: 'operate' },
      schema: {
        operationId: 'getMetrics',
        tags,
        summary: 'Metrics in the text format of Prometheus',
        response: {
          200: { description: 'Metrics.', content: { 'text/plain': { schema: z.string() } } },
          ...problems(),
        },
      },
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  )
}
