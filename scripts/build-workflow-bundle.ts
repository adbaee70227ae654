import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

/**
 * Bundles the workflows for production and for the tests, once as they are and once with failures that can be
 * encrypted: a failure converter is part of a bundle. Refuses a bundle that grew a large library.
 */
const MAX_BUNDLE_BYTES = 2 * 1024 * 1024

// As compiled: the SDK compiles TypeScript for an older language, in which each private field costs a function and a map.
const workflowsPath = pathOf('../dist/workflows/index.js')
const failureConverterPath = pathOf('../dist/temporal/encoded-failures.js')

await bundle('dist/workflow-bundle.js')
await bundle('dist/workflow-bundle-encrypted.js', { failureConverterPath })

async function bundle(name: string, options: { failureConverterPath?: string } = {}): Promise<void> {
  const logger = new DefaultLogger('WARN')
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    logger,
    // Else each workflow loads its modules anew.
    preloadModules: [workflowsPath],
    ...options,
  })
  const bytes = Buffer.byteLength(code)
  if (bytes > MAX_BUNDLE_BYTES) {
    throw new Error(
      `${name} has ${bytes} bytes, more than ${MAX_BUNDLE_BYTES}: workflow code imports too much`,
    )
  }
  const target = pathOf(`../${name}`)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, code)
  process.stdout.write(`${name}: ${Math.round(bytes / 1024)} KiB\n`)
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
