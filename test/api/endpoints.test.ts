import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { openApiOf, type Api } from '../support/api.js'
import { createEnvironment, openEnvironment } from '../support/environment.js'

const SECRET = 'sEcReT'
const URL = 'https://ems.city.example/hooks'

let environment: SyncTestEnvironment
let number = 0

beforeAll(async () => {
  environment = await createEnvironment()
})
afterAll(() => environment.close())

/** An API, and the path of an endpoint that nobody else has. */
async function open(system = environment): Promise<{ api: Api; name: string; path: string }> {
  number += 1
  const name = `EMS-${number}`
  return { api: await openApiOf(system), name, path: `/v1/endpoints/${name}` }
}

describe('an endpoint', () => {
  test('is registered by its name in the body, and the same again changes nothing', async () => {
    const { api, name, path } = await open()
    const body = { name, url: URL, events: ['policy.*'], authToken: `Bearer ${SECRET}-1234567890` }

    const created = await api.call('POST', '/v1/endpoints', { body })
    expect(created).toMatchObject({
      status: 201,
      body: {
        result: 'created',
        endpoint: { name, url: URL, state: 'active', events: ['policy.*'], authTokenHint: '…7890' },
      },
    })
    expect(created.headers.get('location')).toBe(path)
    expect(await api.call('POST', '/v1/endpoints', { body })).toMatchObject({
      status: 200,
      body: { result: 'unchanged', endpoint: created.body.endpoint },
    })
    expect(await api.call('GET', path)).toMatchObject({ status: 200, body: created.body.endpoint })
    const all = await api.call('GET', '/v1/endpoints')
    expect(all.body.endpoints).toContainEqual(created.body.endpoint)
  })

  test('is put with exactly the given settings', async () => {
    const { api, path } = await open()

    expect(await api.call('PUT', path, { body: { url: URL, attemptTimeoutMs: 500 } })).toMatchObject({
      status: 201,
      body: { endpoint: { attemptTimeoutMs: 500 } },
    })
    const replaced = await api.call('PUT', path, { body: { url: URL, events: ['a.b'] } })
    expect(replaced).toMatchObject({
      status: 200,
      body: { result: 'updated', endpoint: { events: ['a.b'] } },
    })
    expect(replaced.body.endpoint).not.toHaveProperty('attemptTimeoutMs')
  })

  test('is patched setting by setting; null takes one away', async () => {
    const { api, path } = await open()
    await api.call('PUT', path, { body: { url: URL, attemptTimeoutMs: 500, events: ['a.b'] } })

    const patched = await api.call('PATCH', path, { body: { events: null, maxConcurrentAttempts: 7 } })

    expect(patched).toMatchObject({
      status: 200,
      body: { result: 'updated', endpoint: { attemptTimeoutMs: 500, maxConcurrentAttempts: 7 } },
    })
    expect(patched.body.endpoint).not.toHaveProperty('events')
    expect(await api.call('PATCH', path, { body: { url: null } })).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'url' }] },
    })
    expect(await api.call('PATCH', path, { body: { authToken: 'a', auth: basic() } })).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'auth', accepted: 'either authToken or auth' }] },
    })
  })

  test('shows no secret, and neither does the log or a refusal', async () => {
    const { api, path } = await open()
    const secrets = {
      auth: { type: 'header', name: 'x-key', value: SECRET },
      headers: { 'x-tenant': SECRET },
      signingSecrets: [`whsec_${Buffer.from(SECRET.repeat(5)).toString('base64')}`],
    }

    const created = await api.call('PUT', path, { body: { url: `${URL}/${SECRET}`, ...secrets } })
    const wrong = {
      url: `ftp://user:${SECRET}@x/`,
      authToken: `${SECRET}\n`,
      auth: { type: SECRET },
      tls: { key: SECRET },
      headers: { [`x ${SECRET}`]: `${SECRET}\n` },
      signingSecrets: [SECRET],
    }
    const refused = await api.call('PUT', path, { body: wrong })

    expect(created.body.endpoint).toMatchObject({
      authType: 'header',
      headerNames: ['x-tenant'],
      signingSecretHints: [expect.stringMatching(/^….{4}$/)],
    })
    expect(created.status).toBe(201)
    expect(refused.status).toBe(422)
    const fields = refused.body.errors.map(({ field }: { field: string }) => field.split(/[.[]/)[0])
    expect(new Set(fields)).toEqual(new Set(Object.keys(wrong)))
    expect(
      JSON.stringify(
        refused.body.errors.filter(({ field }: { field: string }) => !field.startsWith('headers')),
      ),
    ).not.toContain(SECRET)
    expect(api.lines.join('')).not.toContain(SECRET)
  })

  test('is paused and resumed, and its history says so, page by page', async () => {
    const { api, name, path } = await open()
    await api.call('PUT', path, { body: { url: URL } })

    expect(await api.call('POST', `${path}/pause`)).toMatchObject({
      status: 200,
      body: { result: 'updated', endpoint: { state: 'paused' } },
    })
    expect(await api.call('POST', `${path}/pause`)).toMatchObject({ body: { result: 'unchanged' } })
    expect(await api.call('POST', `${path}/resume`)).toMatchObject({
      body: { endpoint: { state: 'active' } },
    })

    const first = await api.call('GET', `${path}/history?limit=2`)
    expect(first.body.changes.map(({ action }: { action: string }) => action)).toEqual(['resumed', 'paused'])
    const second = await api.call('GET', `${path}/history?limit=2&cursor=${first.body.nextCursor}`)
    expect(second.body).toEqual({
      changes: [expect.objectContaining({ endpoint: name, action: 'created', fields: ['url'] })],
    })
  })

  test('is tested with one request', async () => {
    const { api, path } = await open()
    const receiver = await environment.startReceiver(503)
    await api.call('PUT', path, { body: { url: receiver.url } })

    expect(await api.call('POST', `${path}/test`)).toMatchObject({
      status: 200,
      body: { outcome: 'retry', status: 503, durationMs: expect.any(Number) },
    })
    expect(receiver.requests).toMatchObject([{ body: { event: 'external-sync.ping' } }])
  })

  test('is removed, not while deliveries wait for it unless they are to be discarded', async () => {
    const { api, name, path } = await open(await openEnvironment())
    await api.call('PUT', path, { body: { url: URL, events: [`a.${name}`] } })
    await api.call('POST', `${path}/pause`)
    const { body } = await api.call('POST', '/v1/events', { body: { type: `a.${name}`, data: 1 } })
    const event = `/v1/events/a.${name}/${body.eventId}`
    await expect
      .poll(async () => (await api.call('GET', `/v1/events?waitingOn=${name}`)).body, { timeout: 20_000 })
      .toMatchObject({ events: [{ id: body.eventId }] })

    expect(await api.call('DELETE', path)).toMatchObject({ body: { code: 'ENDPOINT_HAS_WAITING' } })
    expect(await api.call('DELETE', `${path}?discardWaiting=false`)).toMatchObject({ status: 409 })
    expect(await api.call('DELETE', `${path}?discardWaiting=true`)).toMatchObject({ status: 204, body: '' })
    expect(await api.call('GET', path)).toMatchObject({ status: 404, body: { code: 'ENDPOINT_NOT_FOUND' } })
    await environment.waitForDeliveries(body)
    expect(await api.call('GET', event)).toMatchObject({ body: { deliveries: [{ state: 'discarded' }] } })
  })
})

describe('a delivery', () => {
  test('that waits is retried and discarded by an operator', async () => {
    const { api, name, path } = await open(await openEnvironment())
    const receiver = await environment.startReceiver(401)
    await api.call('PUT', path, { body: { url: receiver.url, events: [`a.${name}`] } })
    const { body } = await api.call('POST', '/v1/events', { body: { type: `a.${name}`, data: 1 } })
    const event = `/v1/events/a.${name}/${body.eventId}`
    const delivery = `${event}/deliveries/${name}`
    const waiting = { deliveries: [{ state: 'waiting', reason: 'misconfigured', lastStatus: 401 }] }
    await expect.poll(async () => (await api.call('GET', event)).body).toMatchObject(waiting)

    expect(await api.call('POST', `${delivery}/retry`)).toMatchObject({
      status: 200,
      body: { endpoint: name },
    })
    await receiver.waitForRequests(2)
    expect(await api.call('POST', `${delivery}/discard`, { body: { reason: 'moved' } })).toMatchObject({
      status: 200,
      body: { state: 'discarded', reason: 'moved' },
    })
    expect(await api.call('POST', `${delivery}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'DELIVERY_NOT_OPEN' },
    })
    expect(await api.call('POST', `${delivery}/discard`, { body: { reason: ' ' } })).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'reason', accepted: 'a reason' }] },
    })
  })

  test('of an event with many is on one of its pages', async () => {
    const { api, name } = await open(await openEnvironment())
    for (const n of [1, 2, 3]) {
      await api.call('PUT', `/v1/endpoints/${name}-${n}`, { body: { url: URL, events: [`a.${name}`] } })
      await api.call('POST', `/v1/endpoints/${name}-${n}/pause`)
    }
    const { body } = await api.call('POST', '/v1/events', { body: { type: `a.${name}`, data: 1 } })
    const event = `/v1/events/a.${name}/${body.eventId}`

    const first = await api.call('GET', `${event}?limit=2`)
    const second = await api.call('GET', `${event}?limit=2&cursor=${first.body.nextCursor}`)

    expect([first.body.deliveries.length, second.body.deliveries.length]).toEqual([2, 1])
    expect(second.body).not.toHaveProperty('nextCursor')
  })
})

describe('a signing secret', () => {
  test('is rotated: the new one is shown once, and the one before signs beside it', async () => {
    const { api, path } = await open(await openEnvironment())
    const old = `whsec_${randomBytes(32).toString('base64')}`
    const receiver = await environment.startReceiver()
    await api.call('PUT', path, { body: { url: receiver.url, signingSecrets: [old] } })

    const rotated = await api.call('POST', `${path}/rotate-secret`)
    expect(rotated).toMatchObject({ status: 200, body: { signingSecret: expect.stringMatching(/^whsec_/) } })
    const again = await api.call('POST', `${path}/rotate-secret`)
    await api.call('POST', `${path}/test`)

    const [{ text, headers } = expect.fail('no request')] = receiver.requests
    const verify = (secret: string) => new Webhook(secret).verify(text, headers as Record<string, string>)
    expect(() => verify(again.body.signingSecret)).not.toThrow()
    expect(() => verify(rotated.body.signingSecret)).not.toThrow()
    expect(() => verify(old)).toThrow('No matching signature')
    expect(await api.call('GET', path)).toMatchObject({
      body: {
        signingSecretHints: [again, rotated].map(({ body }) => `…${body.signingSecret.slice(-4)}`),
      },
    })
    expect(rotated.headers.get('cache-control')).toBe('no-store')
  })

  test('is made for an endpoint that had none', async () => {
    const { api, path } = await open(await openEnvironment())
    await api.call('PUT', path, { body: { url: URL } })

    const { body } = await api.call('POST', `${path}/rotate-secret`)

    expect(await api.call('GET', path)).toMatchObject({
      body: { signingSecretHints: [`…${body.signingSecret.slice(-4)}`] },
    })
  })
})

function basic() {
  return { type: 'basic', username: 'a', password: SECRET }
}
