import { expect, onTestFinished, test } from 'vitest'
import { startSink, type Sink } from '../../dist-bench/rig/sink.js'
import { eventIdOf } from '../../dist-bench/rig/sink-messages.js'

const PATHS = ['/e/1', '/e/2']
const WITHIN_MS = 10_000

test('deliveries that all arrived once are neither lost nor doubled, and have their times', async () => {
  const { sink, post } = await openSink()
  const before = performance.timeOrigin + performance.now()
  for (const path of PATHS) await post(path, 'run', 0)

  expect(await sink.untilAnswered('run', 2, WITHIN_MS)).toBe(true)
  expect(await sink.audit({ phase: 'run', events: 1, paths: PATHS })).toEqual({
    lost: 0,
    duplicates: 0,
    examples: [],
  })
  const arrivals = await sink.arrivals('run')
  expect(arrivals.map(([event]) => event)).toEqual([0, 0])
  for (const [, atMs] of arrivals) {
    expect(atMs).toBeGreaterThan(before - 5)
    expect(atMs).toBeLessThan(performance.timeOrigin + performance.now() + 5)
  }
})

test('a delivery that is missing, one that came twice and one that nobody expected are named', async () => {
  const { sink, post } = await openSink()
  await post('/e/1', 'run', 0)
  await post('/e/1', 'run', 0)
  await post('/e/3', 'run', 0)

  expect(await sink.untilAnswered('run', 3, 50)).toBe(false)
  expect(await sink.audit({ phase: 'run', events: 1, paths: PATHS })).toEqual({
    lost: 1,
    duplicates: 2,
    examples: ['lost: event run.0 /e/2', 'doubled: event run.0 /e/1', 'unexpected: event run.0 /e/3'],
  })
})

test('a hanging request is answered when the listener answers again, and counts from then', async () => {
  const { sink, port, post } = await openSink()
  await sink.behave(port, 'hang')
  const hanging = post('/e/1', 'run', 0)
  expect(await sink.untilReceived('run', 1, WITHIN_MS)).toBe(true)
  expect(await sink.arrivals('run')).toEqual([])

  await sink.behave(port, 'answer')
  expect(await hanging).toBe(200)
  expect(await sink.arrivals('run')).toHaveLength(1)
})

test('a request that was given up while it hung is never counted as answered', async () => {
  const { sink, port, post } = await openSink()
  await sink.behave(port, 'hang')
  await expect(post('/e/1', 'run', 0, AbortSignal.timeout(200))).rejects.toThrow(/abort|timeout/i)
  // What comes later, on another listener, is seen after the connection's end.
  await fetch(`http://127.0.0.1:${await sink.listen()}/`)
  await sink.behave(port, 'answer')
  await post('/e/1', 'run', 0)

  expect(await sink.audit({ phase: 'run', events: 1, paths: ['/e/1'] })).toMatchObject({
    lost: 0,
    duplicates: 0,
  })
})

test('a listener that refuses comes back on its port', async () => {
  const { sink, port, post } = await openSink()
  await sink.behave(port, 'refuse')
  await expect(post('/e/1', 'run', 0)).rejects.toThrow('fetch failed')

  await sink.behave(port, 'answer')
  expect(await post('/e/1', 'run', 0)).toBe(200)
})

async function openSink(): Promise<{
  sink: Sink
  port: number
  post: (path: string, phase: string, event: number, signal?: AbortSignal) => Promise<number>
}> {
  const sink = await startSink()
  onTestFinished(() => sink[Symbol.asyncDispose]())
  const port = await sink.listen()
  return {
    sink,
    port,
    post: async (path, phase, event, signal) => {
      const headers = { 'webhook-id': eventIdOf(phase, event) }
      const url = `http://127.0.0.1:${port}${path}`
      return (await fetch(url, { method: 'POST', headers, ...(signal !== undefined && { signal }) })).status
    },
  }
}
