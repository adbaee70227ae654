import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, type TestContext } from 'vitest'
import { createMetrics } from '../../src/metrics/metrics.js'
import { isInstalled } from '../support/is-installed.js'

const run = promisify(execFile)
const MONITORING = fileURLToPath(new URL('../../monitoring/', import.meta.url))

interface Panel {
  title: string
  targets: { expr: string }[]
}

test('the alert rules are valid, and fire and end as they should', async ({ skip }) => {
  requirePromtool(skip)

  const { stdout: checked } = await run('promtool', ['check', 'rules', 'alerts.yml'], { cwd: MONITORING })
  const { stdout: tested } = await run('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: MONITORING })

  expect(checked).toContain('6 rules found')
  expect(tested).toContain('SUCCESS')
})

test('every query of the dashboard is valid', async ({ skip }) => {
  requirePromtool(skip)
  const directory = await mkdtemp(join(tmpdir(), 'external-sync-dashboard-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const expressions = (await queries()).map((query) =>
    query.replaceAll('$__rate_interval', '1m').replaceAll('$endpoint', '.*'),
  )
  const rules = expressions.map((expr, index) => ({ record: `panel:query:${index}`, expr }))
  const file = join(directory, 'queries.yml')
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))

  const { stdout } = await run('promtool', ['check', 'rules', file])

  expect(stdout).toContain(`${rules.length} rules found`)
})

test('rules and dashboard ask for metrics that there are', async () => {
  const metrics = createMetrics()
  metrics.addStatus(() => Promise.resolve([]))
  const text = await metrics.text()
  const alerts = await readFile(join(MONITORING, 'alerts.yml'), 'utf8')
  const asked = [alerts, ...(await queries())].flatMap(
    (source) => source.match(/\b(external_sync|http|process)_[a-z_]+/g) ?? [],
  )
  const names = new Set(asked.map((name) => name.replace(/_bucket$/, '')))

  expect(names.size).toBeGreaterThan(5)
  for (const name of names) expect(text).toContain(`# TYPE ${name} `)
})

async function queries(): Promise<string[]> {
  const dashboard = JSON.parse(await readFile(join(MONITORING, 'grafana-dashboard.json'), 'utf8')) as {
    panels: Panel[]
  }
  return dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
}

function requirePromtool(skip: TestContext['skip']): void {
  skip(!isInstalled('promtool'), 'there is no promtool on the PATH: it comes with the prometheus package')
}
