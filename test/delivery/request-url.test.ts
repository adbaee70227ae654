import { assert, constantFrom, array, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requestUrl } from '../../src/delivery/connectors/request-url.js'

const BASE = 'https://ems.example/api/v1'

test.each([
  [BASE, '', 'https://ems.example/api/v1'],
  [BASE, 'schedules/7', 'https://ems.example/api/v1/schedules/7'],
  [BASE, '/schedules/7', 'https://ems.example/api/v1/schedules/7'],
  [`${BASE}/`, '/schedules/7/', 'https://ems.example/api/v1/schedules/7/'],
  ['https://ems.example', 'schedules/7', 'https://ems.example/schedules/7'],
  [BASE, '?id=7', 'https://ems.example/api/v1?id=7'],
  [`${BASE}?tenant=1`, 'schedules?id=7&x=a?b', 'https://ems.example/api/v1/schedules?tenant=1&id=7&x=a?b'],
  [`${BASE}?tenant=1`, 'schedules', 'https://ems.example/api/v1/schedules?tenant=1'],
  [BASE, 'Größe x', 'https://ems.example/api/v1/Gr%C3%B6%C3%9Fe%20x'],
  [BASE, 'a%2Fb', 'https://ems.example/api/v1/a%2Fb'],
  [BASE, 'Patient/$validate', 'https://ems.example/api/v1/Patient/$validate'],
  [BASE, 'urn:uuid:1', 'https://ems.example/api/v1/urn:uuid:1'],
  [BASE, 'v1..2/...', 'https://ems.example/api/v1/v1..2/...'],
])('%s and %j are %s', (base, path, expected) => {
  expect(requestUrl(base, path).href).toBe(expected)
})

describe('a path that could lead elsewhere is refused', () => {
  test.each([
    '//evil.example/',
    '///evil.example/',
    'https://evil.example/',
    'a//b',
    '\\\\evil.example',
    '/\\evil.example',
    '..',
    '../admin',
    'a/../../admin',
    './a',
    'a/.',
    '%2e%2e/admin',
    '.%2E/admin',
    '%252e%252e/admin',
    '%25252e%2525252e/x',
    '%25zz/%252e%252e',
    '..%2fadmin',
    'a%2f..%2f..%2fadmin',
    'a%5c..%5cadmin',
    'a%252f..%252fadmin',
    'a\r\nhost: evil',
    'a\tb',
    'a\0b',
    'a%00b',
    'a%0d%0ab',
    'a#b',
    '100%',
    'a%zz',
    'a\u202eb',
    'a\ud800',
  ])('%j', (path) => {
    expect(() => requestUrl(BASE, path)).toThrow(Error)
  })

  test('one that is too long', () => {
    expect(() => requestUrl(BASE, 'x'.repeat(2048 - '/api/v1/'.length))).not.toThrow()
    expect(() => requestUrl(BASE, 'x'.repeat(2049 - '/api/v1/'.length))).toThrow(
      '2049 characters, at most 2048',
    )
  })
})

test('whatever a path is made of, the request stays below the URL', () => {
  const pieces = constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '%2e',
    '%2f',
    '%5c',
    '%25',
    '?',
    '#',
    '@',
    ':',
    '//',
    'http:',
    'evil.example',
    ' ',
    '\t',
    '%00',
  )
  assert(
    property(array(pieces, { maxLength: 8 }), string({ maxLength: 4 }), (made, end) => {
      let url: URL
      try {
        url = requestUrl(BASE, made.join('') + end)
      } catch {
        return
      }
      expect(url.origin).toBe('https://ems.example')
      expect(`${url.pathname}/`.startsWith('/api/v1/')).toBe(true)
      expect(url.username + url.password + url.hash).toBe('')
      const decoded = url.pathname.replaceAll(/%(25)*2e/gi, '.').replaceAll(/%(25)*(2f|5c)/gi, '/')
      expect(decoded.split(/[/\\]/)).not.toContain('..')
    }),
    { numRuns: 5_000 },
  )
})
