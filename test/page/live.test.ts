import { afterAll, beforeEach, expect, test } from 'vitest'
import { openApi, openApiOf } from '../support/api.js'
import { closeBrowser, needsChromium, openPage, recordProblems } from '../support/browser.js'
import { endpointRow, eventRow, pressAndConfirm } from '../support/status-page.js'
import { waitUntilWaiting } from '../support/waiting.js'

/** A write of the worker's, a second of search, and a poll of the page. */
const SOON = { timeout: 20_000 }

beforeEach(needsChromium)
afterAll(closeBrowser)

test('the page shows by itself that an endpoint fails, and that it has recovered', async () => {
  const api = await openApi()
  const { syncService } = api.environment
  const receiver = await api.environment.startReceiver(200)
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const page = await openPage(api.url)
  const problems = recordProblems(page)
  const row = endpointRow(page, 'EMS')
  await row.getByText('Up to date').waitFor()
  await row.getByText('Nothing was sent to it yet').waitFor()

  receiver.respondWith(503)
  await syncService.emit('policy.approved', 1, { id: 'live-1' })
  await row.getByText('Retrying').waitFor(SOON)
  await page.getByRole('heading', { name: '1 endpoint of 1 in trouble' }).waitFor()

  receiver.respondWith(401)
  await row.getByText('Behind by 1').waitFor(SOON)
  await row.getByText('Misconfigured').waitFor(SOON)
  await row.getByText(/1 delivery waits, since .*: its URL or credentials seem to be wrong/).waitFor()

  receiver.respondWith(200)
  await syncService.retryDelivery('policy.approved', 'live-1', 'EMS')
  await row.getByText('Up to date').waitFor(SOON)
  await row.getByText(/Last delivered/).waitFor(SOON)
  await page.getByRole('heading', { name: 'The endpoint is up to date' }).waitFor()
  await expect.poll(() => page.locator('#announcements').textContent(), SOON).toBe('EMS is up to date')
  await page
    .getByRole('img', { name: /In the last hour 1 attempt delivered and [1-9]\d* failed/ })
    .waitFor(SOON)
  expect(problems).toEqual([])
})

test('a retry that is pressed and confirmed delivers', async () => {
  const api = await openApi()
  const { syncService } = api.environment
  const receiver = await api.environment.startReceiver(401, 200)
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', 1, { id: 'retry-1' })
  await waitUntilWaiting(api.environment, receipt, 'misconfigured')
  const page = await openPage(api.url)

  const event = eventRow(page, 'retry-1')
  await event.locator('summary').click()
  await event.getByText('Waiting: misconfigured').waitFor()
  await event.getByText(/1 attempt, last status 401/).waitFor()
  const button = event.getByRole('button', { name: 'Retry policy.approved retry-1 to EMS' })
  await button.click()
  const dialog = page.getByRole('dialog', { name: 'Retry the delivery to EMS?' })
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'hidden' })
  expect(receiver.requests).toHaveLength(1)

  await pressAndConfirm(page, button)
  await page.getByText('EMS: a new attempt has begun').waitFor()
  await receiver.waitForRequests(2)
  await event.getByText('Delivered', { exact: true }).waitFor(SOON)
  await event.getByText('Complete').waitFor(SOON)
})

test('what waits for an endpoint is listed with it, and can be retried there', async () => {
  const api = await openApi()
  const { syncService } = api.environment
  const receiver = await api.environment.startReceiver(422, 200)
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', 1, { id: 'listed-1' })
  await waitUntilWaiting(api.environment, receipt, 'rejected')
  const page = await openPage(api.url)
  const row = endpointRow(page, 'EMS')
  await row.getByText('Rejected').waitFor(SOON)

  await row.getByText('What waits').click()
  await pressAndConfirm(page, row.getByRole('button', { name: 'Retry policy.approved listed-1 to EMS' }))

  await row.getByText('Up to date').waitFor(SOON)
  expect(receiver.requests).toHaveLength(2)
})

test('pause, resume and test do what they say', async () => {
  const api = await openApi()
  const { syncService } = api.environment
  const receiver = await api.environment.startReceiver(200)
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const page = await openPage(api.url)
  const row = endpointRow(page, 'EMS')

  await pressAndConfirm(page, row.getByRole('button', { name: 'Test EMS' }))
  await page.getByText(/EMS: the test arrived, 200 in \d+ ms/).waitFor()
  expect(receiver.requests).toMatchObject([{ body: { event: 'external-sync.ping' } }])

  await pressAndConfirm(page, row.getByRole('button', { name: 'Pause EMS' }))
  await row.getByText('Paused', { exact: true }).waitFor(SOON)
  expect(await syncService.getEndpoint('EMS')).toMatchObject({ state: 'paused' })
  await syncService.emit('policy.approved', 1, { id: 'paused-1' })
  await row.getByText('Behind by 1').waitFor(SOON)

  await row.getByRole('button', { name: 'Resume EMS' }).click()
  await page.getByText('first of all the 1 delivery that wait').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
  await row.getByText('Up to date').waitFor(SOON)
  await receiver.waitForRequests(2)

  receiver.respondWith(500)
  await pressAndConfirm(page, row.getByRole('button', { name: 'Test EMS' }))
  await page.getByText(/EMS: the test failed, 500/).waitFor()
})

test('an action that fails says so where it was asked for', async () => {
  const api = await openApi()
  const { syncService } = api.environment
  await syncService.registerEndpoint('EMS', { url: 'http://127.0.0.1:9/' })
  const page = await openPage(api.url)
  await endpointRow(page, 'EMS').getByRole('button', { name: 'Pause EMS' }).click()
  await syncService.removeEndpoint('EMS')

  const dialog = page.getByRole('dialog', { name: 'Pause EMS?' })
  await dialog.getByRole('button', { name: 'Pause' }).click()
  await dialog
    .getByRole('alert')
    .getByText(/endpoint "EMS" is not registered/)
    .waitFor()
  await page.keyboard.press('Escape')
  await page.getByText('No endpoint is registered yet.').waitFor(SOON)
})

test('a server that goes away is told, and found again', async () => {
  const api = await openApi()
  await api.environment.syncService.registerEndpoint('EMS', { url: 'http://127.0.0.1:9/' })
  const page = await openPage(api.url)
  await endpointRow(page, 'EMS').waitFor()

  await api.stop()
  await page.getByText('Not up to date').waitFor(SOON)
  await page
    .getByRole('alert')
    .getByText(/The status cannot be read: the server does not answer/)
    .waitFor()
  await endpointRow(page, 'EMS').waitFor()

  await openApiOf(api.environment, { port: Number(new URL(api.url).port) })
  await page.getByText('Live', { exact: true }).waitFor(SOON)
})

test('links go to the workflows in the Temporal UI', async () => {
  const api = await openApi({ temporalUiUrl: 'https://temporal.city.example/ui' })
  await api.environment.syncService.emit('policy.approved', 1, { id: 'link-1' })
  const page = await openPage(api.url)

  const event = eventRow(page, 'link-1')
  await event.locator('summary').click()
  const link = event.getByRole('link', { name: /Workflow in Temporal/ })
  expect(await link.getAttribute('href')).toBe(
    'https://temporal.city.example/ui/namespaces/default/workflows/policy.approved%2Flink-1',
  )
  await event.getByText('No endpoint wanted this event.').waitFor()
})
