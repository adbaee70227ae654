import * as fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { closedLoop } from '../../bench/rig/closed-loop.js'
import { openApi } from '../support/api.js'
import { collectGarbage } from '../support/collect-garbage.js'

const REQUESTS = 2_000
const AT_A_TIME = 10
/** Of those that warm up compilers, connections and caches, and of the others, in bytes. */
const MAX_GROWTH_BYTES = 16 * 1024 * 1024

const NAMES = [
  'type',
  'data',
  'id',
  'key',
  'time',
  'specversion',
  'source',
  'subject',
  'datacontenttype',
  'data_base64',
  'name',
  'url',
  'events',
  'authToken',
  'auth',
  'tls',
  'signingSecrets',
  'headers',
  'format',
  'connector',
  'retry',
  'attemptTimeoutMs',
  'maxConcurrentAttempts',
  'maxAttemptsPerSecond',
  'reason',
  'constructor',
]

const hostileText = fc.oneof(
  fc.constantFrom(
    '',
    '..',
    '../../etc/passwd',
    '__proto__',
    'a\0b',
    'a\r\nb: c',
    '%',
    '{{1+1}}',
    "' OR 1=1 --",
  ),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.string({ minLength: 200, maxLength: 2_000 }),
)
const value = fc.oneof(
  { maxDepth: 3 },
  fc.jsonValue({ maxDepth: 4 }),
  hostileText,
  fc.constantFrom<unknown>(
    -1,
    1e308,
    0.5,
    2 ** 53,
    null,
    true,
    [],
    {},
    [[]],
    { type: 'oauth2' },
    { ca: 'x' },
  ),
  fc
    .integer({ min: 1, max: 1_000 })
    .map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown),
)
const objectBody = fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 8 })
const body = fc.oneof(
  objectBody.map((object) => JSON.stringify(object)),
  fc.array(objectBody, { maxLength: 5 }).map((array) => JSON.stringify(array)),
  value.map((json) => JSON.stringify(json)),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('', '{', '[1,', '{"__proto__":{"a":1}}', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
)
const contentType = fc.constantFrom(
  'application/json',
  'application/json; charset=utf-8',
  'application/cloudevents+json',
  'text/plain',
  'x',
  '',
  'application/cloudevents-batch+json',
  'application/xml',
  'multipart/form-data; boundary=x',
)
const header = fc.constantFrom<Record<string, string>>(
  {},
  { 'idempotency-key': '../x' },
  { 'ce-specversion': '1.0', 'ce-type': 'a b', 'ce-id': 'x', 'ce-source': '/' },
  { 'ce-specversion': '9', 'ce-time': '%zz' },
  { 'x-request-id': '\u00ff'.repeat(100) },
  { 'content-encoding': 'gzip' },
)
const query = fc.oneof(
  fc.constant(''),
  fc
    .tuple(fc.constantFrom('limit', 'cursor', 'discardWaiting', '__proto__', 'x'), hostileText)
    .map(([name, text]) => `?${name}=${encode(text)}`),
)

test('2,000 requests of generated bad input store nothing, start nothing and leave nothing behind', async () => {
  const api = await openApi()
  const { store, temporal } = api.environment
  const stored = (['put', 'update', 'setState', 'remove'] as const).map((name) => vi.spyOn(store, name))
  const started = vi.spyOn(temporal.client.workflow, 'start')
  onTestFinished(() => void vi.restoreAllMocks())
  const generated = fc.record({
    operation: fc.constantFrom(...api.contract.operations),
    params: fc.tuple(hostileText, hostileText, hostileText),
    body,
    contentType,
    header,
    query,
  })
  const requests = fc.sample(generated, { numRuns: REQUESTS, seed: 7 })
  const statuses = new Map<number, number>()
  const send = async (index: number): Promise<void> => {
    const { operation, params, ...request } = requests[index]!
    const { method, path } = operation
    let used = 0
    const filled = path.replaceAll(/\{\w+\}/g, () => encode(params[used++ % params.length] ?? '') || '~')
    const { status } = await api.call(method, filled + request.query, {
      headers: { ...request.header, ...(method !== 'GET' && { 'content-type': request.contentType }) },
      ...(method !== 'GET' && { body: request.body }),
    })
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }

  await closedLoop({ count: REQUESTS / 2, concurrency: AT_A_TIME }, send)
  const before = usedHeap()
  await closedLoop({ count: REQUESTS / 2, concurrency: AT_A_TIME }, (index) => send(REQUESTS / 2 + index))
  const growth = usedHeap() - before

  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([400, 415, 422]))
  expect(started).not.toHaveBeenCalled()
  // What is not there can be neither paused nor removed.
  for (const spy of stored) {
    for (const { value: result } of spy.mock.results) expect([undefined, false]).toContain(await result)
  }
  expect(await store.list()).toEqual([])
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
  expect(await api.call('GET', '/healthz')).toMatchObject({ status: 200 })
}, 300_000)

function usedHeap(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Lone surrogates, which no URL can hold, become U+FFFD. */
function encode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
}
