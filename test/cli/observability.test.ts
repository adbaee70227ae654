import { expect, test, vi } from 'vitest'
import { startCollector } from '../support/collector.js'
import { freePort } from '../support/free-port.js'
import { openProcesses } from '../support/separate-processes.js'

test('a worker tells Prometheus of its attempts and of Temporal’s SDK, and a collector of its spans', async (context) => {
  const port = await freePort()
  const collector = await startCollector()
  const processes = await openProcesses(context, {
    SYNC_METRICS_ADDRESS: `127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: 'sync-worker-7',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  })
  const receiver = await processes.startReceiver()
  const worker = await processes.startWorker()
  const syncService = await processes.connect()
  await syncService.registerEndpoint('EMS', { url: receiver.url })

  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await syncService.emit('policy.approved', 1, { traceparent })
  await receiver.waitForRequests(1)

  await vi.waitFor(async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(text).toContain('external_sync_attempts_total{endpoint="EMS",outcome="delivered"} 1')
    expect(text).toMatch(/^temporal_workflow_completed\w*\{.*\} 1$/m)
    expect(text).toContain('temporal_workflow_task_schedule_to_start_latency_bucket')
  }, 20_000)
  await vi.waitFor(() => {
    expect(collector.received()).toContain('deliver EMS')
    expect(collector.received()).toContain('syncEvent policy.approved')
    expect(collector.received()).toContain('sync-worker-7')
  }, 20_000)
  expect(await worker.end('SIGTERM')).toMatchObject({ code: 0 })
})
