import { createRequire } from 'node:module'
import { mkdir, readFile } from 'node:fs/promises'
import type axe from 'axe-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { createTokens, openApiOf } from '../support/api.js'
import { closeBrowser, needsChromium, OUTPUT_FOLDER, openPage } from '../support/browser.js'
import { createEnvironment } from '../support/environment.js'
import { endpointRow, eventRow } from '../support/status-page.js'
import { waitUntilWaiting } from '../support/waiting.js'

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

let environment: SyncTestEnvironment

beforeAll(async () => {
  environment = await createEnvironment()
  await fillWithAll(environment)
})
afterAll(async () => {
  await closeBrowser()
  await environment.close()
})
beforeEach(needsChromium)

test.for([
  { width: 360, colorScheme: 'light' },
  { width: 360, colorScheme: 'dark' },
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
] as const)('it is accessible and fits at $width pixels, $colorScheme', async ({ width, colorScheme }) => {
  const { tokens, tokenOf } = createTokens()
  const api = await openApiOf(environment, { tokens, temporalUiUrl: 'https://temporal.city.example' })
  const page = await openPage(api.url, {
    colorScheme,
    viewport: { width, height: 800 },
    reducedMotion: 'reduce',
  })
  await mkdir(OUTPUT_FOLDER, { recursive: true })
  const shoot = (what: string, fullPage = false) =>
    page.screenshot({ path: `${OUTPUT_FOLDER}/${what}-${width}-${colorScheme}.png`, fullPage })

  await page.getByLabel('Token').waitFor()
  await expectAccessible(page)
  await shoot('sign-in')

  await page.getByLabel('Token').fill(tokenOf.operate)
  await page.keyboard.press('Enter')
  await endpointRow(page, 'Regional-Hospital').waitFor()
  await eventRow(page, 'NIGHT-7-v1').locator('summary').click()
  await endpointRow(page, '911-Dispatch').getByText('What waits').click()
  await page.getByText('HTTP 401').first().waitFor()
  await page.getByText('The same as a table').click()
  await expectAccessible(page)
  await page.getByText('The same as a table').click()
  await shoot('status', true)
  const overflow = await page
    .locator('html')
    .evaluate((node: { scrollWidth: number; clientWidth: number }) => node.scrollWidth - node.clientWidth)
  expect(overflow).toBeLessThanOrEqual(0)

  await endpointRow(page, 'Regional-Hospital').getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('dialog').waitFor()
  await expectAccessible(page)
  await shoot('dialog')
})

test('everything is done with the keyboard alone, and the focus comes back', async () => {
  const api = await openApiOf(environment)
  const page = await openPage(api.url)
  await endpointRow(page, 'EMS-Scheduler').waitFor()
  const focused = () => focusedText(page)

  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Skip to the endpoints')
  await page.keyboard.press('Enter')
  expect(await focused()).toBe('Endpoints')
  await tabTo(page, 'Pause EMS-Scheduler')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Pause EMS-Scheduler?' })
  await dialog.waitFor()
  expect(await dialog.locator(':focus').count()).toBe(1)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  expect(await focused()).toBe('Pause EMS-Scheduler')

  await page.keyboard.press('Space')
  await dialog.waitFor()
  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Pause')
  await page.keyboard.press('Enter')
  await dialog.waitFor({ state: 'hidden' })
  await expect.poll(focused, { timeout: 20_000 }).toBe('Resume EMS-Scheduler')
  // Its row has moved meanwhile, and polls have come.
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Resume EMS-Scheduler?' }).waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect.poll(focused, { timeout: 20_000 }).toBe('Pause EMS-Scheduler')

  await tabTo(page, /NIGHT-7-v1/)
  await page.keyboard.press('Enter')
  await eventRow(page, 'NIGHT-7-v1').getByText('HTTP 401').waitFor()
})

/** Presses Tab until an element of this text has the focus. */
async function tabTo(page: Page, text: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab')
    const focused = await focusedText(page)
    if (typeof text === 'string' ? focused === text : text.test(focused)) return
  }
  throw new Error(`Tab does not get to ${text}`)
}

async function focusedText(page: Page): Promise<string> {
  const focused = page.locator(':focus')
  return (await focused.count()) === 0 ? '' : ((await focused.textContent()) ?? '').trim()
}

async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(await readFile(axeFile, 'utf8'))
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  )
  expect(
    violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html) })),
  ).toEqual([])
}

/** Endpoints in each state, and events of several. */
async function fillWithAll(system: SyncTestEnvironment): Promise<void> {
  const { syncService } = system
  const start = (status: number) => system.startReceiver(status)
  const [up, refusing, rejecting] = await Promise.all([start(200), start(401), start(422)])
  const busy = await start(503)
  await syncService.registerEndpoint('EMS-Scheduler', { url: up.url, events: ['schedule.*', 'policy.*'] })
  await syncService.registerEndpoint('Regional-Hospital', { url: up.url, events: ['policy.*'] })
  await syncService.registerEndpoint('911-Dispatch', {
    url: refusing.url,
    events: ['policy.*', 'incident.*'],
  })
  await syncService.registerEndpoint('Airport', { url: rejecting.url, events: ['incident.*'] })
  await syncService.registerEndpoint('Harbour', { url: busy.url, events: ['tide.*'] })
  await syncService.registerEndpoint('City-Archive', { url: up.url, events: ['policy.*'] })
  await syncService.pauseEndpoint('City-Archive')
  for (let shift = 1; shift <= 12; shift += 1)
    await syncService.emit('schedule.updated', { shift }, { id: `page-shift-${shift}` })
  const policy = await syncService.emit('policy.approved', 1, { id: 'NIGHT-7-v1' })
  const incident = await syncService.emit('incident.opened', 1, { id: 'PIER-4-v1' })
  await syncService.emit('tide.rising', 1, { id: 'spring-tide' })
  await waitUntilWaiting(environment, policy, 'misconfigured')
  await waitUntilWaiting(environment, incident, 'rejected')
  await vi.waitFor(
    async () => expect((await syncService.status()).totals).toMatchObject({ paused: 1, upToDate: 2 }),
    { timeout: 20_000, interval: 500 },
  )
}
