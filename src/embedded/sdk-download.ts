import { readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { runCommand } from './run-command.js'

const CHECK_EVERY_MS = 250
const NO_ANSWER_AFTER_MS = 20_000
const STALLED_AFTER_MS = 60_000

/**
 * Starts and stops a server of the SDK, which downloads it on the way. A process of its own, because the SDK's
 * download has no timeout, and because its first use installs the SDK's runtime, once per process.
 */
const DOWNLOAD = `
  const [testing, create, downloadDir, version] = process.argv.slice(1)
  require(testing).TestWorkflowEnvironment[create]({
    server: { executable: { type: 'cached-download', downloadDir, version } },
  }).then((environment) => environment.teardown()).catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
`

/**
 * Lets the Temporal SDK download one of its servers into `directory`, which must be empty, and resolves to the
 * path of the downloaded program.
 *
 * @throws an error with the SDK's reason; also when nothing arrives for 20 s or the download stalls for a minute
 */
export async function downloadBySdk(
  server: 'createLocal' | 'createTimeSkipping',
  version: string,
  directory: string,
  signal?: AbortSignal,
): Promise<string> {
  const testing = createRequire(import.meta.url).resolve('@temporalio/testing')
  const watch = watchDownload(directory)
  try {
    await runCommand(process.execPath, ['-e', DOWNLOAD, testing, server, directory, version], {
      title: `${server} of the Temporal SDK`,
      signal: signal === undefined ? watch.signal : AbortSignal.any([signal, watch.signal]),
    }).catch(async (error: unknown) => {
      // A server that was downloaded but did not start within the SDK's 5 s is all that is wanted.
      if ((await downloadedFile(directory)) === undefined) throw error
    })
  } finally {
    watch.stop()
  }
  const file = await downloadedFile(directory)
  if (file === undefined)
    throw new Error(`the SDK reported success, but ${directory} has no downloaded program`)
  return file
}

/** The SDK names the program after its version and writes it as `<name>.downloading` until it is whole. */
async function downloadedFile(directory: string): Promise<string | undefined> {
  const name = (await readdir(directory)).find(
    (entry) => entry.startsWith('temporal') && !entry.endsWith('.downloading'),
  )
  return name === undefined ? undefined : join(directory, name)
}

function watchDownload(directory: string): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController()
  let size = -1
  let changedAt = Date.now()
  const timer = setInterval(() => void check(), CHECK_EVERY_MS)
  return { signal: controller.signal, stop: () => clearInterval(timer) }

  async function check(): Promise<void> {
    const names = await readdir(directory).catch(() => [])
    const sizes = names.map(
      async (name) => (await stat(join(directory, name)).catch(() => undefined))?.size ?? 0,
    )
    const total = names.length === 0 ? -1 : (await Promise.all(sizes)).reduce((sum, each) => sum + each, 0)
    if (total !== size) {
      size = total
      changedAt = Date.now()
    }
    const limitMs = size === -1 ? NO_ANSWER_AFTER_MS : STALLED_AFTER_MS
    if (Date.now() - changedAt > limitMs) {
      controller.abort(new Error(`nothing arrived from temporal.download for ${limitMs / 1000} s`))
    }
  }
}
