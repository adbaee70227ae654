import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

/** Bundles the workflows for production and for the tests, and refuses a bundle that grew a large library. */
const MAX_BUNDLE_BYTES = 2 * 1024 * 1024

const workflowsPath = fileURLToPath(new URL('../src/workflows/index.ts', import.meta.url))
const target = fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url))

const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })
const bytes = Buffer.byteLength(code)
if (bytes > MAX_BUNDLE_BYTES) {
  throw new Error(
    `the workflow bundle has ${bytes} bytes, more than ${MAX_BUNDLE_BYTES}: workflow code imports too much`,
  )
}
mkdirSync(dirname(target), { recursive: true })
writeFileSync(target, code)
process.stdout.write(`dist/workflow-bundle.js: ${Math.round(bytes / 1024)} KiB\n`)
