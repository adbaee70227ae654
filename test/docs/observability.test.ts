import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { startCollector } from '../support/collector.js'
import { blockWith, readBlocks } from '../support/doc-blocks.js'
import { isInstalled } from '../support/is-installed.js'
import { openEmbedded } from '../support/separate-processes.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const PAGE = 'docs/observability.md'
const PORTS = ['--port', '0', '--ui-port', '0', '--api-port', '0']

const run = promisify(execFile)

vi.setConfig({ testTimeout: 120_000 })

test('what Prometheus is told is a configuration', async ({ skip }) => {
  skip(!isInstalled('promtool'), 'there is no promtool on the PATH')
  const { code } = blockWith(await readBlocks(PAGE), 'yaml', 'scrape_configs')
  const file = join(await temporaryFolder(), 'prometheus.yml')
  await writeFile(file, code)

  const { stdout } = await run('promtool', ['check', 'config', '--syntax-only', file])

  expect(stdout).toContain('SUCCESS')
})

test('the line that exports spans does so', async (context) => {
  const { code } = blockWith(await readBlocks(PAGE), 'sh', 'OTEL_EXPORTER_OTLP_ENDPOINT')
  const [, name = '', command] =
    /^(OTEL_\w+)=http:\/\/127\.0\.0\.1:4318 npx external-sync (\w+)\n$/.exec(code) ?? []
  const collector = await startCollector()
  const processes = await openEmbedded(context)
  const system = await processes.startCommand([command ?? '', ...PORTS], {
    [name]: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  })
  await system.waitForOutput('Stop it with Ctrl-C')
  const [url = ''] = /(?<=HTTP API +)http:\/\/127\.0\.0\.1:\d+/.exec(system.output) ?? []

  const response = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'policy.approved', data: 1 }),
  })

  expect(response.status).toBe(202)
  await vi.waitFor(() => {
    for (const span of ['POST /v1/events', 'emit policy.approved', 'syncEvent policy.approved'])
      expect(collector.received()).toContain(span)
  }, 30_000)
})
