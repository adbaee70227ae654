import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startMetricsServer } from '../../src/metrics/metrics-server.js'
import { createMetrics } from '../../src/metrics/metrics.js'

const NOW = Date.now()

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
