import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { EndpointStatus } from '../../src/domain/status.js'
import { startMetricsServer } from '../../src/metrics/metrics-server.js'
import { createMetrics } from '../../src/metrics/metrics.js'

const NOW = Date.now()
const MINUTE_AGO = new Date(NOW - 60_000).toISOString()

test('attempts are counted by endpoint and outcome, with their durations', async () => {
  const metrics = createMetrics()
  const attempt = { event: { type: 'a.b', id: '1' }, isDown: false, startedAt: NOW, durationMs: 300 }

  metrics.attemptEnded({ ...attempt, endpoint: 'EMS', outcome: 'delivered' })
  metrics.attemptEnded({ ...attempt, endpoint: 'EMS', outcome: 'delivered' })
  metrics.attemptEnded({ ...attempt, endpoint: 'EMS', outcome: 'rejected' })

  const lines = (await metrics.text()).split('\n')
  expect(lines).toContain('external_sync_attempts_total{endpoint="EMS",outcome="delivered"} 2')
  expect(lines).toContain('external_sync_attempts_total{endpoint="EMS",outcome="rejected"} 1')
  expect(lines).toContain('external_sync_attempt_duration_seconds_bucket{le="0.25",endpoint="EMS"} 0')
  expect(lines).toContain('external_sync_attempt_duration_seconds_bucket{le="0.5",endpoint="EMS"} 3')
})

test('what waits and what fails is told by endpoint and reason', async () => {
  const metrics = createMetrics()
  const endpoints: EndpointStatus[] = [
    { name: 'EMS', state: 'behind', reason: 'down', waiting: 40, since: MINUTE_AGO },
    { name: 'Hospital', state: 'paused', waiting: 3, since: MINUTE_AGO },
    { name: 'Dispatch', state: 'behind', reason: 'rejected', waiting: 1, since: MINUTE_AGO },
    { name: 'Flaky', state: 'retrying', waiting: 0, since: MINUTE_AGO },
    { name: 'Fine', state: 'upToDate', waiting: 0 },
  ]
  metrics.addStatus(() => Promise.resolve(endpoints))

  const samples = samplesOf(await metrics.text())

  expect(samples.get('external_sync_waiting_deliveries{endpoint="EMS",reason="down"}')).toBe(40)
  expect(samples.get('external_sync_waiting_deliveries{endpoint="Hospital",reason="paused"}')).toBe(3)
  expect(samples.get('external_sync_oldest_waiting_seconds{endpoint="Dispatch",reason="rejected"}')).closeTo(
    60,
    10,
  )
  expect([...samples.keys()].filter((name) => name.startsWith('external_sync_failing_seconds'))).toEqual([
    'external_sync_failing_seconds{endpoint="EMS",reason="down"}',
    'external_sync_failing_seconds{endpoint="Flaky",reason="retrying"}',
  ])

  endpoints.splice(0)
  expect(await metrics.text()).not.toContain('{endpoint="EMS",reason="down"}')
})

test('while nobody can say what waits, the others are told', async () => {
  const metrics = createMetrics()
  metrics.addStatus(() => Promise.reject(new Error('Temporal is away')))
  metrics.eventAccepted(0.02)

  const text = await metrics.text()

  expect(text).toContain('external_sync_events_accepted_total 1')
  expect(text).not.toContain('external_sync_waiting_deliveries{')
})

test('the metrics of others are told with them, and served where nothing else is', async () => {
  const metrics = createMetrics(() => Promise.resolve('temporal_worker_task_slots_available 100'))
  const server = await startMetricsServer(metrics, { ip: '127.0.0.1', port: 0 })
  onTestFinished(() => server.stop())

  const answer = await fetch(server.url)

  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  expect((await answer.text()).endsWith('temporal_worker_task_slots_available 100\n')).toBe(true)
  expect((await fetch(new URL('/', server.url))).status).toBe(404)
})

test('a port that is taken is refused', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo

  await expect(startMetricsServer(createMetrics(), { ip: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE')
})

function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}
