import { describe, expect, test } from 'vitest'
import { fhirDocumentReference } from '../../examples/connectors/fhir.js'
import { scheduleEndpoint } from '../../examples/connectors/schedule-put.js'
import type { Verdict } from '../../src/delivery/attempt-result.js'
import { classify } from '../../src/delivery/classify.js'
import {
  defineConnector,
  type Connector,
  type ConnectorRequest,
} from '../../src/delivery/connectors/connector.js'
import { createSender } from '../../src/delivery/send.js'
import { parseEndpoint } from '../../src/domain/parse-endpoint.js'
import { attempt, openReceiver, openSender, policyApproved } from '../support/attempts.js'

const MISCONFIGURED = { kind: 'wait', reason: 'misconfigured' }

test('a connector in code makes the request; it sees the event and no secret', async () => {
  const receiver = await openReceiver()
  const seen: unknown[] = []
  const connector = defineConnector({
    name: 'dispatch-911',
    toRequest: async (event, endpoint) => {
      seen.push(event, endpoint)
      return { method: 'PATCH', path: 'units', headers: { 'X-Unit': '7' }, body: '<unit/>' }
    },
  })
  const url = `${receiver.url}cad`
  const settings = {
    url,
    authToken: 'Bearer sEcReT',
    connector: 'dispatch-911',
    headers: { 'x-tenant': 'sEcReT' },
  }

  const result = await attempt(openSender({ connectors: [connector] }), settings)

  expect(result).toMatchObject({ kind: 'response', status: 200 })
  expect(receiver.requests[0]).toMatchObject({ method: 'PATCH', path: '/cad/units', text: '<unit/>' })
  expect(receiver.requests[0]?.headers).toMatchObject({
    authorization: 'Bearer sEcReT',
    'x-tenant': 'sEcReT',
    'x-unit': '7',
    'content-type': 'application/json',
  })
  expect(seen).toEqual([policyApproved, { name: 'EMS-Scheduler', url }])
})

test('what it does to the event is its own', async () => {
  const receiver = await openReceiver()
  const event = structuredClone(policyApproved)
  const connector = defineConnector({
    name: 'a',
    toRequest(given) {
      given.id = 'changed'
      given.data = 'changed'
      return {}
    },
  })

  await attempt(openSender({ connectors: [connector] }), { url: receiver.url, connector: 'a' }, event)

  expect(event).toEqual(policyApproved)
  expect(receiver.requests[0]?.headers['webhook-id']).toBe(policyApproved.id)
})

describe('a delivery waits as misconfigured, and nothing is sent', () => {
  test.each<[title: string, toRequest: () => unknown, message: string]>([
    ['when it throws', () => fail('no unit for sEcReT'), 'connector a: no unit for [redacted]'],
    ['when it rejects', () => Promise.reject(new Error('sEcReT')), 'connector a: [redacted]'],
    ['when it throws no error', () => fail('x'), 'connector a: x'],
    ['when it returns nothing', () => undefined, 'connector a: '],
    ['when it leaves the URL', () => ({ path: '../admin' }), 'connector a: path "../admin"'],
    ['when it names another host', () => ({ path: '//evil.example' }), 'connector a: path'],
    [
      'when it sets credentials',
      () => ({ headers: { Authorization: 'x' } }),
      'connector a: header "Authorization"',
    ],
    ['when it sets the signature', () => ({ headers: { 'webhook-signature': 'x' } }), 'connector a: header'],
    ['when it sets the host', () => ({ headers: { host: 'x' } }), 'connector a: header "host"'],
    ['when it breaks a header', () => ({ headers: { 'x-a': 'a\nb' } }), 'connector a: header "x-a"'],
    [
      'when it reads',
      () => ({ method: 'GET' }),
      'connector a: method "GET": POST, PUT, PATCH, DELETE are accepted',
    ],
    ['when it sends an object', () => ({ body: {} }), 'connector a: body {}: a string is accepted'],
    [
      'when it sends too much',
      () => ({ body: 'x'.repeat(1024 * 1024 + 1) }),
      'connector a: body of 1048577 bytes',
    ],
  ])('%s', async (_title, toRequest, message) => {
    const receiver = await openReceiver()
    const connector = { name: 'a', toRequest: toRequest as () => ConnectorRequest }

    const result = await attempt(openSender({ connectors: [connector] }), {
      url: `${receiver.url}api/`,
      authToken: 'Bearer sEcReT',
      connector: 'a',
    })

    expect(result).toMatchObject({ code: 'CONNECTOR_FAILED', message: expect.stringContaining(message) })
    expect(classify(result)).toEqual(MISCONFIGURED)
    expect(receiver.requests).toHaveLength(0)
  })

  test.each<[Connector[], string]>([
    [[], 'this worker has no connector fhir; it has none'],
    [[connectorNamed('a'), connectorNamed('b')], 'this worker has no connector fhir; it has a, b'],
  ])('when the worker does not know it', async (connectors, message) => {
    const receiver = await openReceiver()
    const result = await attempt(openSender({ connectors }), { url: receiver.url, connector: 'fhir' })

    expect(result).toEqual({ kind: 'failure', code: 'CONNECTOR_UNKNOWN', message })
    expect(classify(result)).toEqual(MISCONFIGURED)
    expect(receiver.requests).toHaveLength(0)
  })
})

test('a connector that never comes to an end takes no longer than the attempt may', async () => {
  const connector = { name: 'a', toRequest: () => new Promise<never>(() => undefined) }
  const result = await attempt(openSender({ connectors: [connector] }), {
    url: 'http://127.0.0.1:9/',
    connector: 'a',
    attemptTimeoutMs: 100,
  })

  expect(result).toMatchObject({ code: 'ATTEMPT_TIMEOUT' })
})

describe('an answer', () => {
  const soap = defineConnector({
    name: 'soap',
    toRequest: () => ({ body: '<x/>', headers: { 'content-type': 'text/xml' } }),
    classify({ status, headers, body }) {
      if (status === 409) return { kind: 'delivered' }
      if (body.includes('<Fault>')) return { kind: 'wait', reason: 'rejected' }
      return headers['x-busy'] === 'yes' ? { kind: 'retry' } : undefined
    },
  })

  test.each<
    [
      title: string,
      status: number,
      headers: Record<string, string>,
      body: string,
      verdict: Verdict | undefined,
    ]
  >([
    ['a conflict that means it is there', 409, {}, '', { kind: 'delivered' }],
    ['a fault in a success', 200, {}, '<Fault>no</Fault>', { kind: 'wait', reason: 'rejected' }],
    ['a busy success', 200, { 'x-busy': 'yes' }, '', { kind: 'retry' }],
    ['anything else', 500, {}, 'oops', undefined],
  ])('is what the connector says: %s', async (_title, status, headers, body, verdict) => {
    const receiver = await openReceiver(
      (_request, response) => void response.writeHead(status, headers).end(body),
    )
    const result = await attempt(openSender({ connectors: [soap] }), { url: receiver.url, connector: 'soap' })

    expect(result).toMatchObject({ kind: 'response', status })
    expect('verdict' in result ? result.verdict : undefined).toEqual(verdict)
    expect('excerpt' in result ? result.excerpt : undefined).toBe(
      verdict?.kind === 'delivered' || body === '' ? undefined : body,
    )
  })

  test.each<[unknown, string]>([
    [() => fail('odd'), 'connector a: odd'],
    [() => ({ kind: 'lost' }), 'connector a: classify returned what is no verdict'],
    [() => ({ kind: 'wait', reason: 'paused' }), 'connector a: classify returned what is no verdict'],
  ])('that classify cannot read makes the delivery wait', async (decide, message) => {
    const receiver = await openReceiver()
    const connector = { ...connectorNamed('a'), classify: decide as NonNullable<Connector['classify']> }
    const result = await attempt(openSender({ connectors: [connector] }), {
      url: receiver.url,
      connector: 'a',
    })

    expect(result).toEqual({ kind: 'failure', code: 'CONNECTOR_FAILED', message })
  })
})

test('names are checked where connectors are defined and where they are given', () => {
  expect(() => defineConnector(connectorNamed('a b'))).toThrow('defineConnector: name "a b" is not accepted')
  expect(() => createSender({ connectors: [connectorNamed('a'), connectorNamed('a')] })).toThrow(
    'connectors: name "a" is not accepted: expected a name for each connector alone',
  )
})

describe('the examples', () => {
  test('a schedule is put at an address of its own', async () => {
    const receiver = await openReceiver()
    const settings = scheduleEndpoint(`${receiver.url}api`)
    parseEndpoint('EMS-Scheduler', settings)
    const data = { id: 'night/3', name: 'Nights', shifts: [{ start: '22:00', end: '06:00', unit: 'A1' }] }
    const event = { ...policyApproved, type: 'schedule.updated', data }

    expect(await attempt(openSender(), settings, event)).toMatchObject({ status: 200 })
    expect(receiver.requests[0]).toMatchObject({
      method: 'PUT',
      path: '/api/schedules/night%2F3',
      body: { name: 'Nights', shifts: [{ from: '22:00', to: '06:00', unit: 'A1' }], updatedAt: event.time },
    })
    expect(receiver.requests[0]?.headers['idempotency-key']).toBe(event.id)
  })

  test('a schedule without an id replaces nothing', async () => {
    const receiver = await openReceiver()
    const result = await attempt(openSender(), scheduleEndpoint(receiver.url), {
      ...policyApproved,
      data: { name: 'x' },
    })

    expect(result).toMatchObject({
      code: 'MAPPING_FAILED',
      message: expect.stringContaining('data.id is missing'),
    })
    expect(receiver.requests).toHaveLength(0)
  })

  test('a policy is a FHIR DocumentReference at its own id', async () => {
    const receiver = await openReceiver(201)
    const sender = openSender({ connectors: [fhirDocumentReference] })
    const settings = { url: `${receiver.url}fhir`, connector: fhirDocumentReference.name }

    expect(await attempt(sender, settings)).toMatchObject({ status: 201 })
    const [request] = receiver.requests
    expect(request).toMatchObject({ method: 'PUT', path: '/fhir/DocumentReference/SAFETY-7' })
    expect(request?.headers['content-type']).toBe('application/fhir+json')
    // Required by the resource: status, and content.attachment; the id of the address.
    expect(request?.body).toMatchObject({
      resourceType: 'DocumentReference',
      id: 'SAFETY-7',
      status: 'current',
      date: policyApproved.time,
      content: [{ attachment: { contentType: 'text/plain; charset=utf-8', title: 'No entry' } }],
    })
    expect(request?.text).toContain(Buffer.from('Nobody enters.').toString('base64'))
  })

  test('its conflicts are tried again, its own refusals are rejections', async () => {
    const receiver = await openReceiver(409, 422)
    const sender = openSender({ connectors: [fhirDocumentReference] })
    const settings = { url: receiver.url, connector: fhirDocumentReference.name }

    expect(await attempt(sender, settings)).toMatchObject({ verdict: { kind: 'retry' } })
    const refused = await attempt(sender, settings)
    expect(refused).not.toHaveProperty('verdict')
    expect(classify(refused)).toEqual({ kind: 'wait', reason: 'rejected' })
  })

  test('a policy without a FHIR id waits and says so', async () => {
    const sender = openSender({ connectors: [fhirDocumentReference] })
    const settings = { url: 'http://127.0.0.1:9/', connector: fhirDocumentReference.name }
    const result = await attempt(sender, settings, { ...policyApproved, data: { id: 'a/b' } })

    expect(result).toMatchObject({
      code: 'CONNECTOR_FAILED',
      message: expect.stringContaining('expected a FHIR id'),
    })
  })
})

function connectorNamed(name: string): Connector {
  return { name, toRequest: () => ({}) }
}

function fail(message: string): never {
  throw new Error(message)
}
