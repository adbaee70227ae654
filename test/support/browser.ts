import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { onTestFinished, type TestContext } from 'vitest'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** The distribution's, so that nothing is downloaded. */
const EXECUTABLE = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find((path) => existsSync(path))

let launched: Promise<Browser> | undefined

/** Where tests leave what somebody may want to look at. */
export const OUTPUT_FOLDER = 'test-output/status-page'

/** Skips a test where there is no Chromium, and says so. */
export function needsChromium(context: TestContext): void {
  context.skip(
    EXECUTABLE === undefined,
    `no Chromium on the PATH (${NAMES.join(', ')}): apt-get install chromium`,
  )
}

/** A page in a real browser, in a profile of its own; it ends with the test. */
export async function openPage(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await openTab(options)
  await page.goto(url)
  return page
}

/** A tab that shows nothing yet, in a profile of its own; it ends with the test. */
export async function openTab(options: BrowserContextOptions = {}): Promise<Page> {
  launched ??= chromium.launch({
    ...(EXECUTABLE !== undefined && { executablePath: EXECUTABLE }),
    args: ['--no-sandbox'],
  })
  const browser = await launched
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  onTestFinished(() => context.close())
  return context.newPage()
}

/** Ends the browser, if one was started. */
export async function closeBrowser(): Promise<void> {
  const browser = await launched
  launched = undefined
  await browser?.close()
}

/** What the browser has refused or failed to do, such as by the page's Content-Security-Policy. */
export function recordProblems(page: Page): readonly string[] {
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    // Which requests were refused is what some tests are about.
    const isRefusal = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isRefusal) problems.push(message.text())
  })
  return problems
}
