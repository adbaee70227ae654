import { expect, test } from 'vitest'
import { parseEndpoint } from '../../src/domain/parse-endpoint.js'
import { refusalOf } from './problems.js'

const URL_ACCEPTED = 'an http:// or https:// URL without credentials and white space, at most 2048 characters'
const TOKEN_ACCEPTED =
  'a header value: Latin-1 characters without line breaks, no space at either end (value not shown)'
const url = 'https://ems.city.example/hook'

test('settings come back exactly as they were given', () => {
  const settings = {
    url: 'HTTPS://ems.city.example:8443/a%20b?c=d#e',
    authToken: 'Bearer abc123',
    events: ['policy.*'],
  }

  expect(parseEndpoint('EMS-Scheduler', settings)).toEqual(settings)
})

test('settings that are undefined count as not given', () => {
  const parsed = parseEndpoint('EMS', { url, authToken: undefined, events: undefined })

  expect(Object.keys(parsed)).toEqual(['url'])
})

test.each(['A', '9', '911', 'EMS-Scheduler', 'a._-', 'x'.repeat(64)])('a name is accepted: %s', (name) => {
  expect(parseEndpoint(name, { url })).toEqual({ url })
})

test.each(['', '-a', '.a', '_a', 'a b', 'a/b', 'a\n', 'Städte', 'x'.repeat(65)])(
  'a name is refused: %j',
  (name) => {
    expect(refusalOf(() => parseEndpoint(name, { url })).problems).toEqual([
      {
        field: 'name',
        value: JSON.stringify(name),
        accepted: '1 to 64 letters, digits, "." "_" and "-", a letter or digit first',
      },
    ])
  },
)

test.each([
  'http://127.0.0.1:8080',
  'http://[::1]/',
  'https://ems.city.example/hook?token=a&b=c',
  'https://prüfung.example/straße',
  `https://h/${'x'.repeat(2048 - 'https://h/'.length)}`,
])('a URL is accepted: %s', (given) => {
  expect(parseEndpoint('EMS', { url: given })).toEqual({ url: given })
})

test.each<[title: string, given: unknown, shown: string | undefined]>([
  ['absent', undefined, undefined],
  ['empty', '', '(not a URL)'],
  ['text', 'sEcReT', '(not a URL)'],
  ['a path', '/sEcReT', '(not a URL)'],
  ['without slashes', 'https:city.example/sEcReT', '"https://city.example"'],
  ['with slashes alone', 'https://', '(not a URL)'],
  ['with a slash too many', 'https:///city.example/sEcReT', '"https://city.example"'],
  ['of another scheme', 'ftp://city.example/sEcReT', '"ftp://city.example"'],
  ['a script', 'javascript:sEcReT', '"javascript://"'],
  ['a file', 'file:///sEcReT', '"file://"'],
  ['with a user', 'https://sEcReT@city.example/', '"https://city.example"'],
  ['with a password alone', 'https://:sEcReT@city.example/', '"https://city.example"'],
  ['with a password', 'https://user:sEcReT@city.example:8443/?sEcReT', '"https://city.example:8443"'],
  ['over 2,048 characters', `https://city.example/${'sEcReT'.repeat(400)}`, '"https://city.example"'],
  ['with a space first', ' https://city.example/sEcReT', '"https://city.example"'],
  ['with a space inside', 'https://city.example/sEcReT hook', '"https://city.example"'],
  ['with a line break inside', 'https://city.example/sEc\nReT', '"https://city.example"'],
  ['with a tab last', 'https://city.example/sEcReT\t', '"https://city.example"'],
  ['with a port that does not exist', 'https://city.example:99999/sEcReT', '(not a URL)'],
  ['a URL object', new URL('https://city.example/sEcReT'), '(a value of type object)'],
  ['a list', ['https://city.example/sEcReT'], '(a value of type object)'],
  ['a number', 42, '(a value of type number)'],
])('a URL is refused when it is %s, and no more than its origin is shown', (_title, given, shown) => {
  const refusal = refusalOf(() => parseEndpoint('EMS', { url: given }))

  expect(refusal.problems).toEqual([
    {
      field: 'url',
      ...(shown !== undefined && { value: shown }),
      accepted: typeof given === 'string' ? URL_ACCEPTED : 'a URL',
    },
  ])
  expect(JSON.stringify(refusal) + refusal.message).not.toContain('sEc')
})

test.each(['x', 'Bearer abc123', 'Basic dXNlcjpwYXNz', 'ÿ £ é', '!"#$%&()*+,;~', 'x'.repeat(8192)])(
  'a token is accepted: %s',
  (authToken) => {
    expect(parseEndpoint('EMS', { url, authToken })).toEqual({ url, authToken })
  },
)

test.each<[title: string, authToken: unknown, accepted: string]>([
  ['empty', '', TOKEN_ACCEPTED],
  ['with a line break', 'Bearer sEcReT\r\nX-Admin: 1', TOKEN_ACCEPTED],
  ['with a NUL', 'sEcReT\u0000', TOKEN_ACCEPTED],
  ['with a DEL', 'sEc\u007fReT', TOKEN_ACCEPTED],
  ['with a C1 control character', 'sEc\u0085ReT', TOKEN_ACCEPTED],
  ['with a space first', ' sEcReT', TOKEN_ACCEPTED],
  ['with a line feed last', 'sEcReT\n', TOKEN_ACCEPTED],
  ['outside Latin-1', 'sEcReT€', TOKEN_ACCEPTED],
  ['with an emoji', '🚑sEcReT', TOKEN_ACCEPTED],
  ['over 8,192 characters', 'sEcReT'.repeat(1366), 'at most 8,192 characters (value not shown)'],
  ['an object', { token: 'sEcReT' }, 'a string (value not shown)'],
  ['a number', 5_308_417, 'a string (value not shown)'],
])('a token is refused when it is %s, and never shown', (_title, authToken, accepted) => {
  const refusal = refusalOf(() => parseEndpoint('EMS', { url, authToken }))

  expect(refusal.problems).toEqual([{ field: 'authToken', accepted }])
  expect(refusal.message).not.toMatch(/sEc|5308417/)
})

test.each<[title: string, name: unknown, settings: unknown, fields: string[]]>([
  ['settings that are a URL', 'EMS', 'https://h/sEcReT', ['settings']],
  ['settings in a list', 'EMS', [{ url, authToken: 'sEcReT' }], ['settings']],
  ['settings in place of the name', { url, authToken: 'sEcReT' }, undefined, ['name', 'settings']],
  ['a token under another name', 'EMS', { url, auth_token: 'sEcReT' }, ['auth_token']],
  ['no settings', 'EMS', null, ['settings']],
])('a mistaken call shows no secret: %s', (_title, name, settings, fields) => {
  const refusal = refusalOf(() => parseEndpoint(name as string, settings))

  expect(refusal.problems.map(({ field }) => field)).toEqual(fields)
  expect(JSON.stringify(refusal) + refusal.message).not.toContain('sEcReT')
})

test('all problems are reported together, each with field, value and what is accepted', () => {
  const settings = { url: 'ftp://h/sEcReT', authToken: 'sEcReT\n', events: ['*', 5], retries: 3, timeout: 1 }

  expect(refusalOf(() => parseEndpoint('a b', settings)).message).toBe(
    'endpoint "a b": ' +
      'name "a b" is not accepted: expected 1 to 64 letters, digits, "." "_" and "-", a letter or digit first; ' +
      `url "ftp://h" is not accepted: expected ${URL_ACCEPTED}; ` +
      `authToken is not accepted: expected ${TOKEN_ACCEPTED}; ` +
      'events[0] "*" is not accepted: expected an event type such as policy.approved, or policy.* for all that begin so; ' +
      'events[1] 5 is not accepted: expected a string; ' +
      'retries is not accepted: expected no option of this name; ' +
      'timeout is not accepted: expected no option of this name',
  )
})
