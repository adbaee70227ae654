import type { TestProject } from 'vitest/node'
import { loadConfig } from '../../src/config.js'
import { findTemporalCli } from '../../src/embedded/temporal-cli.js'
import { startTemporalServer } from '../../src/embedded/temporal-server.js'
import { startPostgres } from './postgres.js'
import type { ServerPrograms } from './server-programs.js'

declare module 'vitest' {
  /** What this set-up and cluster-setup.ts give to the tests. */
  interface ProvidedContext {
    /** `host:port` of the Temporal server that the tests share. */
    temporalAddress: string
    /** The Temporal CLI, for tests that run a server of their own. */
    temporalCliPath: string
    /** The Postgres that the tests share, as its administrator; see `openDatabase`. */
    postgresUrl: string
    /** Whether the endpoint stores of the tests are Postgres databases. */
    postgresStores: boolean
    /** The programs of a Temporal cluster, in `npm run test:cluster` alone. */
    serverPrograms: ServerPrograms
  }
}

/** Runs a Postgres and a Temporal dev server, found, fetched or built once, for all tests that need no own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { temporalPath, cacheDir, searchPath } = loadConfig(process.env)
  const cli = await findTemporalCli({ path: temporalPath, cacheDir, searchPath, onProgress })
  const postgres = await startPostgres()
  const server = await startTemporalServer({ cliPath: cli.path, port: 0, uiPort: 0 }).catch(async (error) => {
    await postgres[Symbol.asyncDispose]()
    throw error
  })
  project.provide('temporalAddress', server.address)
  project.provide('temporalCliPath', cli.path)
  project.provide('postgresUrl', postgres.url())
  project.provide('postgresStores', false)
  return async () => {
    await server.stop()
    await postgres[Symbol.asyncDispose]()
  }
}

function onProgress(message: string): void {
  process.stderr.write(`${message}\n`)
}
