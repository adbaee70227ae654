import type { TestProject } from 'vitest/node'
import { loadConfig } from '../../src/config.js'
import { findTemporalCli } from '../../src/embedded/temporal-cli.js'
import { startTemporalServer } from '../../src/embedded/temporal-server.js'
import { startPostgres } from './postgres.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the dev server that the tests share. */
    temporalAddress: string
    /** The Temporal CLI, for tests that run a server of their own. */
    temporalCliPath: string
    /** The Postgres that the tests share, as its administrator; see `openDatabase`. */
    postgresUrl: string
  }
}

/** Runs a Postgres and a Temporal dev server, found, fetched or built once, for all tests that need no own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startPostgres()
  project.provide('postgresUrl', postgres.url())
  const { temporalPath, cacheDir, searchPath } = loadConfig(process.env)
  const cli = await findTemporalCli({ path: temporalPath, cacheDir, searchPath, onProgress })
  const server = await startTemporalServer({ cliPath: cli.path, port: 0, uiPort: 0 })
  project.provide('temporalAddress', server.address)
  project.provide('temporalCliPath', cli.path)
  return async () => {
    await server.stop()
    await postgres[Symbol.asyncDispose]()
  }
}

function onProgress(message: string): void {
  process.stderr.write(`${message}\n`)
}
