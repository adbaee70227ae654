import { afterAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { SyncService } from '../../src/client.js'
import { openApi, openApiOf } from '../support/api.js'
import { closeBrowser, needsChromium, openPage } from '../support/browser.js'

const ENDPOINTS = 1_000
const EVENTS = 10

beforeEach(needsChromium)
afterAll(closeBrowser)

test('with 1,000 endpoints and 10,000 deliveries that wait, the first view is there within a second', async () => {
  const api = await openApi()
  const { syncService, store, temporal } = api.environment
  for (let index = 0; index < ENDPOINTS; index += 1) {
    const name = `System-${String(index).padStart(4, '0')}`
    await store.put(name, { url: 'http://127.0.0.1:9/' })
    await store.setState(name, 'paused')
  }
  await syncService.emitMany(
    Array.from({ length: EVENTS }, (_, index) => ({ type: 'a.b', data: index, id: `many-${index}` })),
  )
  await expect
    .poll(async () => (await syncService.status()).waiting, { timeout: 180_000, interval: 2_000 })
    .toEqual({ count: ENDPOINTS * EVENTS })

  // A server that knows nothing yet.
  const { client } = temporal
  const other = new SyncService({ client, store, taskQueue: api.environment.taskQueue })
  onTestFinished(() => other.close())
  const fresh = await openApiOf(api.environment, { service: other })
  const searches = vi.spyOn(temporal.client.workflowService, 'listWorkflowExecutions')
  const counts = vi.spyOn(temporal.client.workflowService, 'countWorkflowExecutions')
  const page = await openPage('about:blank')
  const startedAt = performance.now()
  await page.goto(fresh.url)
  await page.locator('#endpoints > li').nth(99).waitFor()
  const tookMs = Math.round(performance.now() - startedAt)

  process.stdout.write(
    `first view of ${ENDPOINTS} endpoints and ${ENDPOINTS * EVENTS} deliveries: ${tookMs} ms\n`,
  )
  expect(tookMs).toBeLessThan(1_000)
  expect(searches.mock.calls.length).toBeLessThanOrEqual(4)
  expect(counts).not.toHaveBeenCalled()
  await page.getByText('900 more endpoints').waitFor()
  await page.getByText('10,000', { exact: true }).waitFor()
  await page.getByLabel('Filter endpoints by name').fill('system-0777')
  await page.getByRole('heading', { name: 'System-0777' }).waitFor()
  expect(await page.locator('#endpoints > li').count()).toBe(1)
}, 300_000)
