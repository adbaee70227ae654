import type { Locator, Page } from 'playwright-core'

/** The row of an endpoint. */
export function endpointRow(page: Page, name: string): Locator {
  return page.locator('#endpoints > li').filter({ has: page.getByRole('heading', { name, exact: true }) })
}

/** The row of an event. */
export function eventRow(page: Page, id: string): Locator {
  return page.locator('#events > li').filter({ hasText: id })
}

/** Presses a button, and then the one of the question that comes. */
export async function pressAndConfirm(page: Page, button: Locator): Promise<void> {
  await button.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button').last().click()
  await dialog.waitFor({ state: 'hidden' })
}
