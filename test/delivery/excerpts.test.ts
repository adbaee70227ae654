import { assert, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scrub } from '../../src/delivery/secrets.js'
import type { Endpoint } from '../../src/domain/endpoint.js'
import { attempt, openReceiver, openSender } from '../support/attempts.js'

async function excerptOf(
  body: string | Buffer,
  settings: Partial<Endpoint> = {},
  headers: Record<string, string> = {},
) {
  const receiver = await openReceiver((_request, response) => void response.writeHead(502, headers).end(body))
  const result = await attempt(openSender(), { url: receiver.url, ...settings })
  return 'excerpt' in result ? result.excerpt : undefined
}

test('a proxy’s page that quotes the request shows none of its credentials', async () => {
  const receiver = await openReceiver((request, response) => {
    const { authorization, 'x-tenant': tenant } = request.headers
    const quoted = `${authorization} ${encodeURIComponent(String(authorization))} ${String(tenant)}`
    response.writeHead(502, { 'content-type': 'text/html' })
    response.end(`<html>\r\n<h1>502 Bad Gateway</h1>\r\n<pre>\t${quoted}\0\x1b[31m</pre>\n</html>\n`)
  })
  const settings = {
    url: receiver.url,
    authToken: 'Bearer sEcReT/+token==',
    headers: { 'x-tenant': 'tEnAnT-key' },
  }

  expect(await attempt(openSender(), settings)).toMatchObject({
    status: 502,
    excerpt: '<html> <h1>502 Bad Gateway</h1> <pre> [redacted] [redacted] [redacted][31m</pre> </html>',
  })
})

test('it is the first 1 KiB, cut between characters', async () => {
  expect(await excerptOf('x'.repeat(100_000))).toBe('x'.repeat(1024))
  expect(await excerptOf(`x${'ß'.repeat(1_000)}`)).toBe(`x${'ß'.repeat(511)}`)
})

test('there is none of an empty body, and none of one that is compressed', async () => {
  expect(await excerptOf('')).toBeUndefined()
  expect(await excerptOf(' \r\n\0')).toBeUndefined()
  expect(
    await excerptOf(Buffer.from('H4sIAAAA', 'base64'), {}, { 'content-encoding': 'gzip' }),
  ).toBeUndefined()
})

test('a success has none', async () => {
  const receiver = await openReceiver((_request, response) => void response.end('fine'))
  expect(await attempt(openSender(), { url: receiver.url })).not.toHaveProperty('excerpt')
})

describe('what a secret may look like in an answer', () => {
  const secret = 'p@ss "w/ö"+<&>rd'
  const base64 = Buffer.from(secret).toString('base64')
  test.each([
    ['raw', secret],
    ['base64', base64],
    ['base64 without padding', base64.replace(/=+$/, '')],
    ['base64url', Buffer.from(secret).toString('base64url')],
    ['URL-encoded', encodeURIComponent(secret)],
    ['URL-encoded in lower case', encodeURIComponent(secret).toLowerCase()],
    ['form-encoded', encodeURIComponent(secret).replaceAll('%20', '+')],
    ['a JSON string', JSON.stringify(secret).slice(1, -1)],
    [
      'a JSON string with escaped slashes',
      JSON.stringify(secret)
        .slice(1, -1)
        .replaceAll('/', String.raw`\/`),
    ],
    [
      'HTML',
      secret
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll('"', '&quot;'),
    ],
    ['broken by a control character', `${secret.slice(0, 5)}\u0001${secret.slice(5)}`],
    ['broken by an invisible character', `${secret.slice(0, 5)}\u200b${secret.slice(5)}`],
  ])('%s', async (_title, spelled) => {
    const auth = { type: 'basic', username: 'sync', password: secret } as const
    expect(await excerptOf(`a ${spelled} z`, { auth })).toBe('a [redacted] z')
  })

  test('the credentials as Basic sends them', async () => {
    const auth = { type: 'basic', username: 'sync', password: secret } as const
    const sent = Buffer.from(`sync:${secret}`).toString('base64')
    expect(await excerptOf(`Basic ${sent}`, { auth })).toBe('Basic [redacted]')
  })
})

test.each<[title: string, settings: Partial<Endpoint>, quoted: string]>([
  ['the token without its scheme', { authToken: 'Bearer abcdef' }, 'abcdef'],
  ['a key in a header', { auth: { type: 'header', name: 'x-key', value: 'Key abcdef' } }, 'abcdef'],
  [
    'a signing secret',
    { signingSecrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] },
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  ],
  ['an extra header', { headers: { 'x-a': 'abcdef' } }, 'abcdef'],
])('%s is a secret', async (_title, settings, quoted) => {
  expect(await excerptOf(`say ${quoted}!`, settings)).toBe('say [redacted]!')
})

test('an extra header of less than four characters is none', async () => {
  expect(await excerptOf('try 7 of 17', { headers: { 'x-version': '7' } })).toBe('try 7 of 17')
})

test('a secret at the end of what is shown leaves no half behind', async () => {
  const authToken = `Bearer ${'k'.repeat(40)}`
  for (const before of [1_000, 1_010, 1_020, 1_023]) {
    const excerpt = await excerptOf('.'.repeat(before) + 'k'.repeat(40), { authToken })
    expect(String(excerpt)).not.toContain('k')
  }
})

test('a secret at the end of what is read leaves no half behind', async () => {
  // Redaction makes 64 KiB of secrets shorter than what is shown, up to the one that reading has cut.
  const token = 'k1'.repeat(4_000)
  const excerpt = await excerptOf(`${token} `.repeat(20), { authToken: token })
  expect(String(excerpt)).not.toContain('k1')
})

test('whatever the secret, it does not come through', () => {
  assert(
    property(
      string({ unit: 'binary', minLength: 1 }),
      string({ unit: 'binary' }),
      string(),
      (secret, before, after) => {
        const scrubbed = scrub(before + secret + after, [secret])
        const visible = scrub(secret, [])
        expect(
          visible === '' ||
            '[redacted]'.includes(visible) ||
            !scrubbed.replaceAll('[redacted]', '').includes(visible),
        ).toBe(true)
      },
    ),
    { numRuns: 2_000 },
  )
})
