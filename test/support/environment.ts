import { inject, onTestFinished } from 'vitest'
import { SyncTestEnvironment, type SyncTestEnvironmentOptions } from '../../src/testing/index.js'
import { createStoreDatabase } from './store-database.js'

/** The whole system on the shared Temporal server; it ends with the test. */
export async function openEnvironment(options?: SyncTestEnvironmentOptions): Promise<SyncTestEnvironment> {
  const environment = await createEnvironment(options)
  onTestFinished(() => environment.close())
  return environment
}

/** As `openEnvironment`, for tests that run concurrently, in which Vitest knows no end: `await using` it. */
export async function createEnvironment(options?: SyncTestEnvironmentOptions): Promise<SyncTestEnvironment> {
  const database = await createStoreDatabase()
  return SyncTestEnvironment.createFromExistingServer(inject('temporalAddress'), {
    ...(database !== undefined && { openStore: () => database.open() }),
    ...options,
  })
}
