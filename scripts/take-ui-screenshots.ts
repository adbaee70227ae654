/**
 * Takes the screenshots of docs/observability.md: `npx tsx scripts/take-ui-screenshots.ts`. Needs Chromium, at
 * CHROMIUM_PATH or /usr/bin/chromium.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { loadConfig } from '../src/config.js'
import { createLogger } from '../src/logger.js'
import { startEmbeddedSystem, type EmbeddedSystem } from '../src/start.js'
import { startReceiver } from '../src/testing/index.js'

const IMAGES = fileURLToPath(new URL('../docs/images/', import.meta.url))
const VIEWPORT = { width: 1280, height: 860 }
/** The first attempt that a server makes after the local one is pending by then, in milliseconds. */
const RETRIED_MS = 8_000

const dataDir = await mkdtemp(join(tmpdir(), 'external-sync-ui-'))
const system = await startEmbeddedSystem({
  config: loadConfig({ ...process.env, SYNC_DATA_DIR: dataDir }),
  logger: createLogger('warn'),
  port: 0,
  uiPort: 0,
})
try {
  await using ems = await startReceiver(200)
  await using hospital = await startReceiver(503)
  await using dispatch = await startReceiver(422)
  const { service } = system
  await service.registerEndpoint('EMS-Scheduler', { url: ems.url })
  await service.registerEndpoint('Regional-Hospital', { url: hospital.url, events: ['policy.*'] })
  await service.registerEndpoint('911-Dispatch', { url: dispatch.url, events: ['policy.*'] })
  const { workflowId } = await emitSome(system)
  await new Promise((resolve) => setTimeout(resolve, RETRIED_MS))
  await take(workflowId)
} finally {
  await system.stop()
  await rm(dataDir, { recursive: true })
}

async function emitSome({ service }: EmbeddedSystem): Promise<{ workflowId: string }> {
  for (const shift of [1, 2, 3]) {
    await service.emit('schedule.updated', { id: `shift-${shift}` }, { id: `shift-${shift}-v4` })
  }
  const policy = { id: 'SAFETY-7', content: 'No landings at night.' }
  return service.emit('policy.approved', policy, { id: 'SAFETY-7-v1', key: 'policy/SAFETY-7' })
}

async function take(workflowId: string): Promise<void> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    await mkdir(IMAGES, { recursive: true })
    const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: 'light' })
    const workflows = `${system.uiUrl}/namespaces/${system.namespace}/workflows`
    await open(page, workflows)
    await page.screenshot({ path: join(IMAGES, 'temporal-ui-events.png') })
    await open(page, `${workflows}?query=${encodeURIComponent('SyncWaitingOn = "911-Dispatch"')}`)
    await page.screenshot({ path: join(IMAGES, 'temporal-ui-waiting.png') })
    await page.getByRole('link', { name: workflowId }).first().click()
    await page.waitForLoadState('networkidle')
    await page.setViewportSize({ ...VIEWPORT, height: 1_500 })
    await page.getByText('Pending Activity').first().waitFor()
    await page.screenshot({ path: join(IMAGES, 'temporal-ui-event.png') })
    await page.setViewportSize(VIEWPORT)
    await page.getByRole('tab', { name: 'User Metadata' }).click()
    await page.getByText('Regional-Hospital').first().waitFor()
    await page.screenshot({ path: join(IMAGES, 'temporal-ui-details.png') })
  } finally {
    await browser.close()
  }
}

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.waitForLoadState('networkidle')
}
