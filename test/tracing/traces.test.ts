import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { openApi, openApiOf } from '../support/api.js'
import { openEnvironment } from '../support/environment.js'

const RETRY = { initialIntervalMs: 200, maximumIntervalMs: 1_000 }

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

beforeAll(() => provider.register())
afterAll(async () => {
  trace.disable()
  context.disable()
  propagation.disable()
  await provider.shutdown()
})
beforeEach(() => exporter.reset())

describe('a trace', () => {
  test('spans emitter, API, workflow, every attempt and the receiver', async () => {
    const api = await openApi()
    const receiver = await api.environment.startReceiver(503, 200)
    await api.environment.syncService.registerEndpoint('EMS', {
      url: `${receiver.url}s3cret?k=1`,
      retry: RETRY,
    })

    const approval = trace.getTracer('approval').startSpan('approve policy')
    const headers = headersOf(approval.spanContext())
    const { body } = await api.call('POST', '/v1/events', {
      headers,
      body: { type: 'policy.approved', data: 1 },
    })
    approval.end()
    await api.environment.waitForDeliveries(body)
    for (const { headers: received } of receiver.requests) receive(received)

    const { traceId } = approval.spanContext()
    await vi.waitFor(() => expect(treeOf(traceId)).toHaveLength(8))
    expect(treeOf(traceId).toSorted()).toEqual([
      'approve policy',
      'approve policy > POST /v1/events',
      'approve policy > POST /v1/events > emit policy.approved',
      'approve policy > POST /v1/events > emit policy.approved > deliver EMS',
      'approve policy > POST /v1/events > emit policy.approved > deliver EMS > receive',
      'approve policy > POST /v1/events > emit policy.approved > syncEvent policy.approved',
      'approve policy > POST /v1/events > emit policy.approved > syncEvent policy.approved > deliver EMS',
      'approve policy > POST /v1/events > emit policy.approved > syncEvent policy.approved > deliver EMS > receive',
    ])
    const [failed, delivered] = spansOf(traceId).filter(({ name }) => name === 'deliver EMS')
    expect(failed).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'http.response.status_code': 503, 'error.type': '503', 'server.address': '127.0.0.1' },
    })
    expect(delivered).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'http.response.status_code': 200, 'messaging.message.id': body.eventId },
    })
    const [workflow] = spansOf(traceId).filter(({ name }) => name === 'syncEvent policy.approved')
    expect(workflow).toMatchObject({ attributes: { temporalWorkflowId: body.workflowId } })
    expect(JSON.stringify(spansOf(traceId).map(({ attributes }) => attributes))).not.toContain('s3cret')
  })

  test('goes on from the span that is active where an event is emitted, in a group too', async () => {
    const { syncService, startReceiver, waitForDeliveries } = bound(
      await openEnvironment({ grouping: 'auto' }),
    )
    const receiver = await startReceiver()
    await syncService.registerEndpoint('Grouped', { url: receiver.url })

    const tracer = trace.getTracer('approval')
    const emits = ['one', 'two', 'three'].map((name) =>
      tracer.startActiveSpan(name, async (span) => {
        const receipt = await syncService.emit('policy.grouped', name)
        span.end()
        return { name, receipt, traceId: span.spanContext().traceId }
      }),
    )

    for (const { name, receipt, traceId } of await Promise.all(emits)) {
      await waitForDeliveries(receipt)
      expect(treeOf(traceId)).toContain(
        `${name} > emit policy.grouped > syncEvent policy.grouped > deliver Grouped`,
      )
      const request = receiver.requests.find(({ headers }) => headers['webhook-id'] === receipt.eventId)
      expect(request?.headers['traceparent']).toContain(traceId)
    }
  })

  test('shows an event that was not accepted', async () => {
    const environment = await openEnvironment()
    await environment.syncService.emit('policy.conflict', 1, { id: 'trace-conflict' })

    await trace.getTracer('approval').startActiveSpan('approve again', async (span) => {
      await expect(
        environment.syncService.emit('policy.conflict', 2, { id: 'trace-conflict' }),
      ).rejects.toThrow('already accepted')
      span.end()
    })

    const failed = exporter.getFinishedSpans().filter(({ status }) => status.code === SpanStatusCode.ERROR)
    expect(failed).toMatchObject([
      { name: 'emit policy.conflict', attributes: { 'error.type': 'EVENT_CONFLICT' } },
    ])
  })

  test('is none where a caller’s traceparent is malformed', async () => {
    const environment = await openEnvironment()
    const api = await openApiOf(environment)
    const receiver = await environment.startReceiver()
    await environment.syncService.registerEndpoint('EMS', { url: receiver.url })

    const headers = { traceparent: '00-zz-1-01' }
    const answer = await api.call('POST', '/v1/events', { headers, body: { type: 'policy.new', data: 1 } })

    expect(answer.status).toBe(202)
    const [request] = await receiver.waitForRequests(1)
    expect(request?.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  })
})

/** Methods that need not be called on the environment. */
function bound(environment: Awaited<ReturnType<typeof openEnvironment>>) {
  const { syncService } = environment
  return {
    syncService,
    startReceiver: environment.startReceiver.bind(environment),
    waitForDeliveries: environment.waitForDeliveries.bind(environment),
  }
}

function headersOf({ traceId, spanId }: { traceId: string; spanId: string }): Record<string, string> {
  return { traceparent: `00-${traceId}-${spanId}-01` }
}

/** What a receiver's own instrumentation does. */
function receive(headers: object): void {
  const parent = propagation.extract(context.active(), headers)
  trace.getTracer('receiver').startSpan('receive', {}, parent).end()
}

function spansOf(traceId: string): ReadableSpan[] {
  return exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId)
}

/** Each span of a trace by the names on its way from the root. */
function treeOf(traceId: string): string[] {
  const spans = spansOf(traceId)
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]))
  return spans.map((span) => {
    const path = []
    for (let at: ReadableSpan | undefined = span; at !== undefined;) {
      path.unshift(at.name)
      at = byId.get(at.parentSpanContext?.spanId ?? '')
    }
    return path.join(' > ')
  })
}
