import { describe, expect, test } from 'vitest'
import { classify } from '../../src/delivery/classify.js'
import { createMappingEvaluator } from '../../src/delivery/connectors/mapping-evaluator.js'
import type { MappingConnector } from '../../src/domain/endpoint.js'
import { parseEndpoint } from '../../src/domain/parse-endpoint.js'
import { attempt, openReceiver, openSender, policyApproved } from '../support/attempts.js'

const TIME_LIMIT_MS = 5_000

async function mapped(connector: MappingConnector, base = '') {
  const receiver = await openReceiver()
  const result = await attempt(openSender(), { url: receiver.url + base, connector })
  return { result, request: receiver.requests[0] }
}

test('an event becomes the request that the expressions describe', async () => {
  const { result, request } = await mapped(
    {
      method: '"PUT"',
      path: '"policies/" & $encodeUrlComponent(data.id) & "?notify=" & $string(true)',
      headers: { 'x-event': 'type', 'x-length': '$length(data.content)', 'x-none': 'data.nothing' },
      body: '{ "title": data.title, "at": time, "key": key, "id": id }',
    },
    'api/v2/',
  )

  expect(result).toMatchObject({ kind: 'response', status: 200 })
  expect(request).toMatchObject({ method: 'PUT', path: '/api/v2/policies/SAFETY-7?notify=true' })
  expect(request?.headers).toMatchObject({
    'x-event': 'policy.approved',
    'x-length': '14',
    'content-type': 'application/json',
    'webhook-id': policyApproved.id,
  })
  expect(request?.headers).not.toHaveProperty('x-none')
  expect(request?.body).toEqual({
    title: 'No entry',
    at: policyApproved.time,
    key: policyApproved.key,
    id: policyApproved.id,
  })
})

test('an empty mapping posts the data to the URL itself', async () => {
  const { request } = await mapped({}, 'hook?tenant=1')

  expect(request).toMatchObject({ method: 'POST', path: '/hook?tenant=1', body: policyApproved.data })
})

test('a body that yields nothing is none, and DELETE has none by default', async () => {
  for (const connector of [{ body: 'data.nothing' }, { method: '"DELETE"' }]) {
    const { request } = await mapped(connector)
    expect(request?.text).toBe('')
    expect(request?.headers).not.toHaveProperty('content-type')
  }
})

test('a sequence is an array in the body, and a single value is itself', async () => {
  const { request } = await mapped({ body: '{ "many": [1..3][$ > 1], "one": [1..3][$ = 2] }' })

  expect(request?.body).toEqual({ many: [2, 3], one: 2 })
})

describe('what a request cannot have makes the delivery wait, and nothing is sent', () => {
  test.each<[title: string, connector: MappingConnector, message: string]>([
    [
      'a method that changes nothing',
      { method: '"GET"' },
      'connector: method "GET": POST, PUT, PATCH, DELETE are',
    ],
    ['a method that is none', { method: '7' }, 'connector.method: it yields 7, not a text'],
    ['no path for this event', { path: 'data.nothing' }, 'connector.path: it yields nothing for this event'],
    ['a path that is no text', { path: 'data' }, 'connector.path: it yields {"id":"SAFETY-7"'],
    ['a path that is a function', { path: '$sum' }, 'connector.path: it yields nothing for this event'],
    [
      'another host',
      { path: '"//evil.example/"' },
      'connector: path "//evil.example/": "//" is not accepted',
    ],
    ['another scheme', { path: '"https://evil.example/"' }, '"//" is not accepted'],
    ['a path above the URL', { path: '"../" & data.id' }, 'the segments "." and ".." are not accepted'],
    ['a path that is too long', { path: '$pad("x", 3000)' }, 'at most 2048 are accepted'],
    ['a header with a line break', { headers: { 'x-a': '"a\\r\\nb: c"' } }, 'header "x-a": a header value'],
    ['a header beyond Latin-1', { headers: { 'x-a': '"🚑"' } }, 'header "x-a": a header value'],
    ['a header that is an object', { headers: { 'x-a': 'data' } }, 'connector.headers.x-a: it yields {"id"'],
    [
      'a failing expression',
      { path: '$number("x")' },
      'connector.path: Unable to cast value to a number: "x"',
    ],
    ['an error of its own', { path: '$error("no id")' }, 'connector.path: no id'],
    ['an error in the body', { body: '1 + "a"' }, 'connector.body: The right side of the "+" operator'],
    [
      'more than 1 MiB',
      { body: '$pad("x", 1048577)' },
      'connector.body: it yields more than 1048576 characters',
    ],
    ['more than 1 MiB in UTF-8', { body: '$pad("", 600000, "ß")' }, 'connector: body of 1200002 bytes'],
    [
      'endless recursion',
      { path: '($f := function($x){ $f($x) + 1 }; $f(1))' },
      'connector.path: Stack overflow',
    ],
    [
      'an endless loop',
      { path: '($f := function($x){ $f($x) }; $f(1))' },
      'connector.path: Evaluation timeout',
    ],
    [
      'an endless regular expression',
      { path: `$match("${'a'.repeat(40)}!", /^(a+)+$/)` },
      'connector: it takes longer',
    ],
    ['all the memory', { body: '$pad("x", 100000000)' }, 'connector: it needs more memory'],
    ['a huge range', { body: '[1..10000000]' }, 'connector.body: The maximum sequence length'],
    [
      'doubling',
      { body: '$reduce([1..40], function($a, $b){ $append($a, $a) }, [1])' },
      'The maximum sequence length',
    ],
  ])('%s', async (_title, connector, message) => {
    parseEndpoint('A', { url: 'https://a.example/', connector })
    const startedAt = performance.now()
    const { result, request } = await mapped(connector, 'api/')

    expect(result).toMatchObject({
      kind: 'failure',
      code: 'MAPPING_FAILED',
      message: expect.stringContaining(message),
    })
    expect(classify(result)).toEqual({ kind: 'wait', reason: 'misconfigured' })
    expect(request).toBeUndefined()
    expect(performance.now() - startedAt).toBeLessThan(TIME_LIMIT_MS)
  })
})

describe('at registration', () => {
  test.each<[MappingConnector, string]>([
    [
      { path: 'foo(' },
      'connector.path "foo(" is not accepted: expected a JSONata expression (Expected ")" before end',
    ],
    [
      { method: '"PUT' },
      'connector.method "\\"PUT" is not accepted: expected a JSONata expression (String literal',
    ],
    [{ body: '{ "a": }' }, 'connector.body "{ \\"a\\": }" is not accepted: expected a JSONata expression ('],
    [{ headers: { 'x-a': '/(/' } }, 'connector.headers.x-a "/(/" is not accepted'],
    [{ path: '('.repeat(9_000) }, 'it is nested too deeply'],
  ])('bad syntax is a problem of its field, in JSONata’s words: %j', (connector, message) => {
    expect(() => parseEndpoint('A', { url: 'https://a.example/', connector })).toThrow(message)
  })

  test.each(['authorization', 'host', 'content-length', 'webhook-id', 'Webhook-Signature', 'x y'])(
    'a header that is not the mapping’s to set is refused: %s',
    (name) => {
      const connector = { headers: { [name]: '"x"' } }
      expect(() => parseEndpoint('A', { url: 'https://a.example/', connector })).toThrow('connector')
    },
  )
})

test('mappings take turns: one that never ends delays another endpoint by one turn', async () => {
  const evaluator = createMappingEvaluator()
  const endless: [string, string][] = [['path', '($f := function($x){ $f($x) }; $f(1))']]
  const hostile = Array.from({ length: 20 }, () => evaluator.evaluate('hostile', endless, policyApproved))
  const startedAt = performance.now()
  const answer = await evaluator.evaluate('polite', [['path', 'data.id']], policyApproved)

  expect(answer).toEqual({ kind: 'evaluated', results: [['path', '"SAFETY-7"']] })
  expect(performance.now() - startedAt).toBeLessThan(TIME_LIMIT_MS)
  await expect(hostile[0]).resolves.toMatchObject({ kind: 'ended' })

  const ended = Promise.allSettled(hostile)
  await evaluator.close()
  expect((await ended).filter(({ status }) => status === 'rejected').length).toBeGreaterThan(10)
  await expect(evaluator.evaluate('a', endless, policyApproved)).rejects.toThrow('the sender is closed')
})

test('an expression reaches neither the process nor the prototypes', async () => {
  const evaluator = createMappingEvaluator()
  const expressions = [
    '$constructor',
    'data.constructor',
    'data.__proto__',
    '$process',
    '$require("fs")',
    'data.toString',
  ]
  for (const expression of expressions) {
    const answer = await evaluator.evaluate('a', [['body', expression]], policyApproved)
    expect(answer.kind === 'evaluated' ? answer.results : []).toEqual([])
  }
  await evaluator.close()
})

test('what one mapping does to its event reaches no other', async () => {
  const evaluator = createMappingEvaluator()
  const polluted = '$ ~> |data|{"id": "changed"}|'
  const answer = await evaluator.evaluate(
    'a',
    [
      ['headers.x', polluted],
      ['body', 'data.id'],
    ],
    policyApproved,
  )

  expect(answer).toMatchObject({
    results: [
      ['headers.x', expect.anything()],
      ['body', '"SAFETY-7"'],
    ],
  })
  await evaluator.close()
})

test('closing in the middle of an evaluation says so, and does not blame the mapping', async () => {
  const evaluator = createMappingEvaluator()
  await evaluator.evaluate('a', [['path', 'data.id']], policyApproved)
  const endless = evaluator.evaluate('a', [['path', '($f := function($x){ $f($x) }; $f(1))']], policyApproved)
  const [outcome] = await Promise.allSettled([endless, evaluator.close()])

  expect(outcome).toMatchObject({ status: 'rejected', reason: new Error('the sender is closed') })
})
