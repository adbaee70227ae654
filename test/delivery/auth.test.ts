import { expect, test } from 'vitest'
import type { Endpoint } from '../../src/domain/endpoint.js'
import { attempt, openReceiver, openSender } from '../support/attempts.js'

async function headersWith(settings: Partial<Endpoint>) {
  const receiver = await openReceiver()
  await attempt(openSender(), { url: receiver.url, ...settings })
  return receiver.requests[0]?.headers
}

test('a token is sent exactly as it was registered', async () => {
  expect(await headersWith({ authToken: 'Token  x, y="z"' })).toMatchObject({
    authorization: 'Token  x, y="z"',
  })
})

test('basic credentials are those of RFC 7617: the example of section 2', async () => {
  const auth = { type: 'basic', username: 'Aladdin', password: 'open sesame' } as const
  expect(await headersWith({ auth })).toMatchObject({ authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' })
})

test('basic credentials are UTF-8: the example of RFC 7617, section 2.1', async () => {
  const auth = { type: 'basic', username: 'test', password: '123£' } as const
  expect(await headersWith({ auth })).toMatchObject({ authorization: 'Basic dGVzdDoxMjPCow==' })
})

test('a key goes in the header that the receiver wants', async () => {
  const headers = await headersWith({ auth: { type: 'header', name: 'X-Api-Key', value: 'k1' } })
  expect(headers).toMatchObject({ 'x-api-key': 'k1' })
  expect(headers).not.toHaveProperty('authorization')
})

test('extra headers come along, and replace those of the format', async () => {
  const headers = await headersWith({
    headers: { 'X-Tenant': '7', 'Content-Type': 'application/vnd.city+json' },
    authToken: 'Bearer x',
  })
  expect(headers).toMatchObject({
    'x-tenant': '7',
    'content-type': 'application/vnd.city+json',
    authorization: 'Bearer x',
  })
})

test('no extra header replaces the identity or the signature', async () => {
  const signingSecrets = [`whsec_${Buffer.alloc(24).toString('base64')}`]
  const headers = await headersWith({
    signingSecrets,
    headers: { 'Webhook-Id': 'x', 'webhook-timestamp': '0', 'WEBHOOK-SIGNATURE': 'v1,x' },
  })
  expect(headers?.['webhook-id']).not.toContain('x')
  expect(headers?.['webhook-timestamp']).not.toBe('0')
  expect(headers?.['webhook-signature']).toMatch(/^v1,[^x].{42}=$|^v1,.{43}=$/)
})
