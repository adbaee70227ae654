import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { CloudEvent, HTTP } from 'cloudevents'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SyncService } from '../../src/client.js'
import type { Receiver, SyncTestEnvironment } from '../../src/testing/index.js'
import { createEnvironment } from '../support/environment.js'
import { openApi, openApiOf, type ApiAnswer } from '../support/api.js'
import { freePort } from '../support/free-port.js'

const DATA = { id: 'SAFETY-7', content: 'Nobody enters.' }

let environment: SyncTestEnvironment
let receiver: Receiver

beforeAll(async () => {
  environment = await createEnvironment()
  receiver = await environment.startReceiver()
  await environment.syncService.registerEndpoint('EMS', {
    url: receiver.url,
    format: 'cloudevents-structured',
  })
})
afterAll(() => environment.close())

async function received(answer: ApiAnswer): Promise<unknown> {
  await environment.waitForDeliveries(answer.body)
  return receiver.requests.find(({ headers }) => headers['webhook-id'] === answer.body.eventId)?.body
}

describe('an event', () => {
  test('is accepted, delivered, and found where the answer says', async () => {
    const api = await openApiOf(environment)
    const id = randomUUID()

    const answer = await api.call('POST', '/v1/events', {
      body: { type: 'policy.approved', data: DATA, id, key: 'policy/7', time: '2026-01-02T03:04:05+01:00' },
    })

    expect(answer).toMatchObject({
      status: 202,
      body: { eventId: id, workflowId: `policy.approved/${id}`, duplicate: false },
    })
    expect(await received(answer)).toMatchObject({
      type: 'policy.approved',
      id,
      subject: 'policy/7',
      time: '2026-01-02T02:04:05.000Z',
      data: DATA,
    })
    const location = answer.headers.get('location') ?? ''
    expect(await api.call('GET', location)).toMatchObject({
      status: 200,
      body: {
        type: 'policy.approved',
        id,
        deliveries: [{ endpoint: 'EMS', state: 'delivered', attempts: 1 }],
      },
    })
  })

  test('is accepted twice as a duplicate, and refused with other data', async () => {
    const api = await openApiOf(environment)
    const emit = (data: unknown, headers?: Record<string, string>) =>
      api.call('POST', '/v1/events', {
        body: { type: 'a.b', data },
        headers: { 'idempotency-key': key, ...headers },
      })
    const key = randomUUID()

    expect(await emit(1)).toMatchObject({ status: 202, body: { eventId: key, duplicate: false } })
    expect(await emit(1)).toMatchObject({ status: 202, body: { eventId: key, duplicate: true } })
    // As the header’s draft writes it.
    expect(await emit(1, { 'idempotency-key': `"${key}"` })).toMatchObject({ body: { duplicate: true } })
    expect(await emit(2)).toMatchObject({
      status: 409,
      body: { type: 'about:blank', title: 'Conflict', status: 409, code: 'EVENT_CONFLICT' },
    })
  })

  test('has its own id, whatever the idempotency key is, and else a new one', async () => {
    const api = await openApiOf(environment)
    const id = randomUUID()
    const emit = (body: object, headers: Record<string, string> = {}) =>
      api.call('POST', '/v1/events', { body: { type: 'a.b', data: null, ...body }, headers })

    expect(await emit({ id }, { 'idempotency-key': 'other' })).toMatchObject({ body: { eventId: id } })
    const [one, two] = [await emit({}), await emit({})]
    expect(one.body.eventId).not.toBe(two.body.eventId)
  })

  test.for<unknown>([null, true, 0, 'text', [], [[1]], {}, { constructor: 1, nested: { toJSON: 1 } }])(
    'may carry %j',
    async (data) => {
      const api = await openApiOf(environment)
      const answer = await api.call('POST', '/v1/events', { body: { type: 'a.b', data } })
      expect(await received(answer)).toMatchObject({ data })
    },
  )
})

describe('a CloudEvent', () => {
  const attributes = { source: '/city', type: 'policy.approved', subject: 'policy/7', data: DATA }

  test('in structured mode is accepted', async () => {
    const id = randomUUID()
    const { headers, body } = HTTP.structured(new CloudEvent({ ...attributes, id, extension: 'x' }))

    const answer = await emitMessage(headers, body)

    expect(answer).toMatchObject({ status: 202, body: { eventId: id, duplicate: false } })
    expect(await received(answer)).toMatchObject({
      id,
      type: 'policy.approved',
      subject: 'policy/7',
      data: DATA,
    })
  })

  test('in binary mode is accepted, with attributes that are percent-encoded', async () => {
    const id = randomUUID()
    const { headers, body } = HTTP.binary(new CloudEvent({ ...attributes, id, subject: 'policy/%C3%A4' }))

    const answer = await emitMessage(headers, body)

    expect(answer).toMatchObject({ status: 202, body: { eventId: id } })
    expect(await received(answer)).toMatchObject({ id, subject: 'policy/ä', data: DATA })
  })

  test('without data carries null, in both modes', async () => {
    const bare = { specversion: '1.0', id: randomUUID(), source: '/city', type: 'a.b' }
    const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
    const binary = Object.fromEntries(Object.entries(bare).map(([name, value]) => [`ce-${name}`, value]))

    expect(await received(await emitMessage(structured, JSON.stringify(bare)))).toMatchObject({ data: null })
    expect(await emitMessage(binary)).toMatchObject({ status: 202, body: { duplicate: true } })
  })

  test('in a batch is accepted by itself', async () => {
    const one = { specversion: '1.0', id: randomUUID(), source: '/city', type: 'a.b', data: 1 }
    const batch = [one, { ...one, specversion: '0.3' }, { ...one, id: randomUUID(), data_base64: 'AA==' }]

    const answer = await emitMessage(
      { 'content-type': 'application/cloudevents-batch+json' },
      JSON.stringify(batch),
    )

    expect(answer).toMatchObject({
      status: 202,
      body: {
        results: [
          { status: 202, receipt: { eventId: one.id } },
          { status: 422, problem: { code: 'INVALID_INPUT', errors: [{ field: 'specversion' }] } },
          { status: 422, problem: { errors: [{ field: 'data_base64' }] } },
        ],
      },
    })
  })

  test.for<[field: string, change: object]>([
    ['specversion', { specversion: '0.3' }],
    ['id', { id: 'a/b' }],
    ['type', { type: 'error' }],
    ['source', { source: '' }],
    ['subject', { subject: 'a"b' }],
    ['time', { time: 'yesterday' }],
    ['datacontenttype', { datacontenttype: 'text/xml' }],
    ['data_base64', { data_base64: 'AA==' }],
  ])('with a wrong %s is refused, naming it', async ([field, change]) => {
    const event = { specversion: '1.0', id: 'x', source: '/city', type: 'a.b', data: 1, ...change }

    const answer = await emitMessage(
      { 'content-type': 'application/cloudevents+json' },
      JSON.stringify(event),
    )

    expect(answer).toMatchObject({ status: 422, body: { code: 'INVALID_INPUT', errors: [{ field }] } })
  })
})

describe('several events', () => {
  test('have a receipt or a problem each, in their order', async () => {
    const api = await openApiOf(environment)
    const id = randomUUID()
    await api.call('POST', '/v1/events', { body: { type: 'a.b', data: 1, id } })
    const events = [
      { type: 'a.b', data: 1, id },
      { type: 'a.b', data: 2, id },
      { type: 'a b', data: 3 },
      'nothing',
      { type: 'a.b', data: 4 },
    ]

    const answer = await api.call('POST', '/v1/events', { body: events })

    expect(answer).toMatchObject({
      status: 202,
      body: {
        results: [
          { status: 202, receipt: { eventId: id, duplicate: true } },
          { status: 409, problem: { code: 'EVENT_CONFLICT' } },
          { status: 422, problem: { errors: [{ field: 'type', value: '"a b"' }] } },
          { status: 422, problem: { errors: [{ field: 'event', value: '"nothing"' }] } },
          { status: 202, receipt: { duplicate: false } },
        ],
      },
    })
  })

  test('of which none is accepted are a problem with the results', async () => {
    const api = await openApiOf(environment)

    const answer = await api.call('POST', '/v1/events', { body: [{ type: '', data: 1 }, 1] })

    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'INVALID_INPUT', results: [{ status: 422 }, { status: 422 }] },
    })
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
  })

  test.for<[what: string, events: unknown[], accepted: string]>([
    ['none', [], 'at least one event'],
    ['too many', Array.from({ length: 1_001 }, () => ({ type: 'a.b', data: 1 })), 'at most 1000 events'],
  ])('are refused where there are %s', async ([, body, accepted]) => {
    const api = await openApiOf(environment)
    expect(await api.call('POST', '/v1/events', { body })).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'body', accepted }] },
    })
  })

  test('have no idempotency key', async () => {
    const api = await openApiOf(environment)
    const headers = { 'idempotency-key': 'x' }
    expect(await api.call('POST', '/v1/events', { body: [{ type: 'a.b', data: 1 }], headers })).toMatchObject(
      {
        status: 422,
        body: { errors: [{ field: 'idempotency-key' }] },
      },
    )
  })

  test('go in a group where grouping is on, and their receipts say of none that it is no duplicate', async () => {
    const api = await openApi({ environment: { grouping: 'auto' } })
    const events = Array.from({ length: 50 }, (_, n) => ({ type: 'a.b', data: n }))

    const { status, body } = await api.call('POST', '/v1/events', { body: events })

    expect(status).toBe(202)
    const workflows = new Set(
      body.results.map(({ receipt }: { receipt: { workflowId: string } }) => receipt.workflowId),
    )
    expect(workflows.size).toBeLessThan(50)
  })
})

test('what Temporal does not accept is never answered with 202', async () => {
  const connection = Connection.lazy({ address: `127.0.0.1:${await freePort()}` })
  const { store } = environment
  await using service = new SyncService({ client: new Client({ connection }), store, taskQueue: 'none' })
  const api = await openApiOf(environment, { service })

  const [one, many] = await Promise.all([
    api.call('POST', '/v1/events', { body: { type: 'a.b', data: 1, id: 'x' } }),
    api.call('POST', '/v1/events', { body: [{ type: 'a.b', data: 1 }, {}] }),
  ])

  expect(one).toMatchObject({ status: 503, body: { code: 'EVENT_NOT_ACCEPTED' } })
  expect(many).toMatchObject({ status: 503, body: { results: [{ status: 503 }, { status: 422 }] } })
  for (const { headers } of [one, many]) expect(headers.get('retry-after')).toBe('5')
})

async function emitMessage(headers: object, body?: unknown): Promise<ApiAnswer> {
  const api = await openApiOf(environment)
  return api.call('POST', '/v1/events', { headers: headers as Record<string, string>, body })
}
