import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Receipt, SyncService } from '../../client.js'
import type { TraceContext } from '../../domain/trace-context.js'
import { toProblem } from '../../http/problem.js'
import { sendErrorAnswer, toErrorAnswer, type ErrorAnswer } from '../error-answer.js'
import type { Metrics } from '../../metrics/metrics.js'
import { answer, problems } from '../problem-schema.js'
import { validateByZod } from '../validation.js'
import { emitAnswer, emitBody, emitHeaders } from './event-schemas.js'
import { readGivenEvents, type ReadEvent } from './given-events.js'

/** What became of one of several events. */
type Result = { status: 202; receipt: Receipt } | ErrorAnswer

interface EmitParts {
  service: Pick<SyncService, 'emit'>
  metrics: Pick<Metrics, 'eventAccepted' | 'eventRefused'>
}

/** `POST /v1/events`: answers 202 when Temporal has accepted what was sent, and never before. */
export function addEmitRoutes(app: FastifyInstance, parts: EmitParts): void {
  app.post(
    '/v1/events',
    {
      config: { role: 'emit' },
      // The rest by the handler, as several events are accepted or refused each by itself.
      validatorCompiler: (part) =>
        part.httpPart === 'querystring' ? validateByZod(part as never) : () => true,
      schema: {
        operationId: 'emitEvents',
        tags: ['events'],
        summary: 'Emit one event or several',
        description:
          'Answers when Temporal has accepted the event: from there it is delivered to every subscribed endpoint. ' +
          'One event may also be a CloudEvent in structured or in binary mode (`ce-` headers beside any JSON). ' +
          'Of several, each is accepted or refused by itself: 202 says that at least one was accepted, and ' +
          '`results` which; where none was, the answer is a problem that has the `results` too.',
        headers: emitHeaders,
        body: emitBody,
        response: {
          202: answer('Accepted: from here nothing is lost.', emitAnswer),
          ...problems(409, 413, 415),
        },
      },
    },
    async (request, reply) => {
      const given = readGivenEvents(request.headers, request.body)
      const { traceContext } = request
      if ('events' in given) {
        return answerMany(request, reply, await emitAll(parts, given.events, traceContext))
      }
      const { type, receipt } = await emit(parts, given.event, traceContext)
      return reply.code(202).header('location', `/v1/events/${type}/${receipt.eventId}`).send(receipt)
    },
  )
}

async function emit(
  { service, metrics }: EmitParts,
  read: ReadEvent,
  traceContext: TraceContext | undefined,
): Promise<{ type: string; receipt: Receipt }> {
  try {
    const { type, data, ...options } = read()
    const startedAt = performance.now()
    const receipt = await service.emit(type, data, { ...options, ...traceContext })
    metrics.eventAccepted((performance.now() - startedAt) / 1_000)
    return { type, receipt }
  } catch (error) {
    metrics.eventRefused(toErrorAnswer(error).details.code)
    throw error
  }
}

function emitAll(
  parts: EmitParts,
  events: readonly ReadEvent[],
  traceContext: TraceContext | undefined,
): Promise<Result[]> {
  return Promise.all(
    events.map(async (read): Promise<Result> => {
      try {
        const { receipt } = await emit(parts, read, traceContext)
        return { status: 202, receipt }
      } catch (error) {
        return toErrorAnswer(error)
      }
    }),
  )
}

function answerMany(request: FastifyRequest, reply: FastifyReply, all: readonly Result[]): FastifyReply {
  const results = all.map((result) =>
    'receipt' in result
      ? result
      : { status: result.status, problem: toProblem(result.status, result.details) },
  )
  const refused = all.filter((result) => 'details' in result)
  if (refused.length < all.length) return reply.code(202).send({ results })
  // What may succeed later weighs most, and emitting all of them again is harmless.
  const { status, details } = refused.reduce((worst, result) =>
    result.status > worst.status ? result : worst,
  )
  const detail = `none of the ${all.length} events was accepted, such as: ${details.detail}`
  return sendErrorAnswer(request, reply, { status, details: { code: details.code, detail } }, { results })
}
