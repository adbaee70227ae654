import type { Page } from 'playwright-core'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { openApi } from '../support/api.js'
import { closeBrowser, needsChromium, openTab, recordProblems } from '../support/browser.js'
import { endpointRow, eventRow, pressAndConfirm } from '../support/status-page.js'
import { waitUntilWaiting } from '../support/waiting.js'

const MARKUP = '<img src=x onerror="document.title=\'pwned\'"><script>document.title="pwned"</script>'
const ID = '<img src=x onerror=alert(1)>'

beforeEach(needsChromium)
afterAll(closeBrowser)

test('what an endpoint answers and an operator writes is shown as text', async () => {
  const api = await openApi()
  const { syncService } = api.environment
  const receiver = await api.environment.startReceiver((_, response) => {
    response.writeHead(401, { 'content-type': 'text/html' }).end(MARKUP)
  })
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', 1, { id: 'hostile-1' })
  await waitUntilWaiting(api.environment, receipt, 'misconfigured')
  const page = await openTab()
  const seen = watch(page)
  await page.goto(api.url)

  const event = eventRow(page, 'hostile-1')
  await event.locator('summary').click()
  await event.locator('pre').waitFor()
  expect(await event.locator('pre').textContent()).toBe(MARKUP)
  await pressAndConfirm(page, endpointRow(page, 'EMS').getByRole('button', { name: 'Test EMS' }))
  await page.locator('#news').getByText(MARKUP).waitFor()
  await syncService.discardDelivery('policy.approved', 'hostile-1', 'EMS', MARKUP)
  await event.getByText(`because ${MARKUP}`).waitFor({ timeout: 20_000 })

  await expectInert(page)
  expect(seen.problems).toEqual([])
  expect(seen.requests.filter((url) => !url.startsWith(api.url))).toEqual([])
})

test('names and ids that no API of ours would let in are shown as text too', async () => {
  const api = await openApi()
  await api.environment.syncService.registerEndpoint('EMS', { url: 'http://127.0.0.1:9/' })
  await api.environment.syncService.emit('policy.approved', 1, { id: 'hostile-2' })
  await expect.poll(async () => (await api.environment.syncService.status()).events).toHaveLength(1)
  const page = await openTab()
  const seen = watch(page)
  await page.route('**/v1/status*', async (route) => {
    const response = await route.fetch({ headers: { ...route.request().headers(), 'if-none-match': '' } })
    const status = await response.json()
    Object.assign(status.endpoints[0], { name: ID, state: 'unusable', problem: MARKUP })
    Object.assign(status.events[0], { id: ID, type: MARKUP, workflowId: MARKUP })
    await route.fulfill({
      response,
      json: { ...status, temporalUiUrl: 'https://t.example', namespace: MARKUP },
    })
  })
  await page.goto(api.url)

  await page.locator('#endpoints').getByText(MARKUP).waitFor()
  expect(await page.locator('#endpoints h3').textContent()).toBe(ID)
  expect(await page.locator('#events .id').textContent()).toBe(ID)
  await page.locator('#events summary').click()
  await page.locator('#events').getByText('They cannot be shown').waitFor()
  await endpointRow(page, ID).getByRole('button').last().click()
  expect(await page.getByRole('dialog').getByRole('heading').textContent()).toBe(`Pause ${ID}?`)
  expect(await page.locator('#temporal-ui').getAttribute('href')).toBe(
    `https://t.example/namespaces/${encodeURIComponent(MARKUP)}/workflows`,
  )

  await expectInert(page)
  expect(seen.problems).toEqual([])
})

test('the policy allows nothing but what the server serves, and no markup from text', async () => {
  const api = await openApi()
  const page = await openTab()
  const response = await page.goto(api.url)
  const headers = response?.headers() ?? {}

  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
      "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  )
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  })
  const refused = await page.locator('body').evaluate((body: { innerHTML: string }) => {
    try {
      body.innerHTML = '<p>'
      return false
    } catch {
      return true
    }
  })
  expect(refused).toBe(true)
})

/** What the page asks for and does wrong. */
function watch(page: Page): { problems: readonly string[]; requests: readonly string[] } {
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('dialog', (dialog) => {
    requests.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  return { problems: recordProblems(page), requests }
}

async function expectInert(page: Page): Promise<void> {
  expect(await page.locator('main img, main script, #news img, dialog img').count()).toBe(0)
  expect(await page.title()).toMatch(/^(\(1\) )?external-sync$/)
}
