import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createTokens, openApi } from '../support/api.js'
import { closeBrowser, needsChromium, openPage, openTab, recordProblems } from '../support/browser.js'
import { endpointRow, pressAndConfirm } from '../support/status-page.js'

beforeEach(needsChromium)
afterAll(closeBrowser)

test('one signs in with a token, does what operators do, and signs out', async () => {
  const { tokenOf, tokens } = createTokens()
  const api = await openApi({ tokens })
  await api.environment.syncService.registerEndpoint('EMS', { url: 'http://127.0.0.1:9/' })
  const page = await openPage(api.url)
  const problems = recordProblems(page)
  const field = page.getByLabel('Token')
  await expect.poll(() => page.locator(':focus').getAttribute('id')).toBe('token')
  expect(await page.locator('#status').isVisible()).toBe(false)

  await field.fill(`${tokenOf.operate}x`)
  await page.keyboard.press('Enter')
  await page.getByText('This token is not known').waitFor()
  await field.fill(tokenOf.emit)
  await page.keyboard.press('Enter')
  await page.getByText('This token may emit events only').waitFor()
  expect(await page.context().cookies()).toEqual([])

  await field.fill(tokenOf.operate)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await endpointRow(page, 'EMS').waitFor()
  const [cookie, ...others] = await page.context().cookies()
  expect(others).toEqual([])
  expect(cookie).toMatchObject({
    name: 'external-sync-session',
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    secure: false,
  })
  expect(cookie?.value).not.toContain(tokenOf.operate)
  const inHours = ((cookie?.expires ?? 0) * 1_000 - Date.now()) / 3_600_000
  expect(inHours).toBeCloseTo(12, 1)

  await pressAndConfirm(page, endpointRow(page, 'EMS').getByRole('button', { name: 'Pause EMS' }))
  await endpointRow(page, 'EMS').getByText('Paused', { exact: true }).waitFor()
  await page.reload()
  await endpointRow(page, 'EMS').waitFor()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await page.context().cookies()).toEqual([])
  await page.reload()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await page.locator('#status').isVisible()).toBe(false)
  expect(problems).toEqual([])
  expect(api.lines.join('')).not.toContain(tokenOf.operate)
  expect(api.lines.join('')).not.toContain(cookie?.value)
})

test('a page of another origin can do nothing with the session, also one of the same host', async () => {
  const { tokenOf, tokens } = createTokens()
  const api = await openApi({ tokens })
  await api.environment.syncService.registerEndpoint('EMS', { url: 'http://127.0.0.1:9/' })
  const page = await openPage(api.url)
  await page.getByLabel('Token').fill(tokenOf.admin)
  await page.keyboard.press('Enter')
  await endpointRow(page, 'EMS').waitFor()

  // Cookies know no ports, and SameSite calls this the same site.
  const evil = await openForeignServer(`${api.url}/v1/endpoints/EMS/pause`)
  const foreign = await page.context().newPage()
  await foreign.goto(evil)
  const outcomes = await foreign.evaluate(async (target) => {
    const attempt = (init: RequestInit): Promise<string> =>
      fetch(`${target}/v1/endpoints/EMS/pause`, { method: 'POST', credentials: 'include', ...init }).then(
        (response) => (response.type === 'opaque' ? 'opaque' : String(response.status)),
        () => 'refused',
      )
    return Promise.all([
      attempt({ mode: 'no-cors' }),
      attempt({}),
      attempt({ headers: { 'x-requested-with': 'external-sync' } }),
      fetch(`${target}/v1/status`, { credentials: 'include' }).then(
        () => 'read',
        () => 'refused',
      ),
    ])
  }, api.url)
  expect(outcomes).toEqual(['opaque', 'refused', 'refused', 'refused'])
  await foreign.locator('button').click()
  await foreign.waitForLoadState()
  expect(await foreign.locator('body').textContent()).toContain('FORBIDDEN')

  expect(await api.environment.syncService.getEndpoint('EMS')).toMatchObject({ state: 'active' })
  const refused = api.lines.map((line) => JSON.parse(line)).filter(({ code }) => code === 'FORBIDDEN')
  expect(refused.length).toBeGreaterThanOrEqual(3)
})

test('the page is in no frame of another', async () => {
  const api = await openApi()
  const tab = await openTab()
  const refusals: string[] = []
  tab.on('console', (message) => refusals.push(message.text()))
  await tab.setContent(`<iframe src="${api.url}"></iframe>`)
  await expect.poll(() => refusals.join('')).toContain('frame-ancestors')
})

/** A server of somebody else's, with a form that goes to `action`. */
async function openForeignServer(action: string): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<form method="post" action="${action}"><button>You have won</button></form>`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}
