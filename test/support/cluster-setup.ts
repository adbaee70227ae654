import type { TestProject } from 'vitest/node'
import { loadConfig } from '../../src/config.js'
import { findTemporalCli } from '../../src/embedded/temporal-cli.js'
import { startPostgres } from './postgres.js'
import { findServerPrograms } from './server-programs.js'
import { startTemporalCluster } from './temporal-cluster.js'

/** Runs a Postgres and a Temporal server on it, built once, in place of the dev server of global-setup.ts. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { temporalPath, cacheDir, searchPath } = loadConfig(process.env)
  const programs = await findServerPrograms({ cacheDir, searchPath, onProgress })
  const cli = await findTemporalCli({ path: temporalPath, cacheDir, searchPath, onProgress })
  const postgres = await startPostgres()
  onProgress('Temporal server: making the schemas and starting it on Postgres')
  const cluster = await startTemporalCluster({
    programs,
    postgresUrl: postgres.url(),
  }).catch(async (error) => {
    await postgres[Symbol.asyncDispose]()
    throw error
  })
  onProgress(`Temporal server: ${cluster.address}`)

  project.provide('temporalAddress', cluster.address)
  project.provide('temporalCliPath', cli.path)
  project.provide('postgresUrl', postgres.url())
  project.provide('serverPrograms', programs)
  project.provide('postgresStores', true)
  return async () => {
    await cluster[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
  }
}

function onProgress(message: string): void {
  process.stderr.write(`${message}\n`)
}
