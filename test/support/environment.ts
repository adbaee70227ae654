import { inject, onTestFinished } from 'vitest'
import { SyncTestEnvironment, type SyncTestEnvironmentOptions } from '../../src/testing/index.js'

/** The whole system on the shared dev server; it ends with the test. */
export async function openEnvironment(options?: SyncTestEnvironmentOptions): Promise<SyncTestEnvironment> {
  const environment = await createEnvironment(options)
  onTestFinished(() => environment.close())
  return environment
}

/** As `openEnvironment`, for tests that run concurrently, in which Vitest knows no end: `await using` it. */
export function createEnvironment(options?: SyncTestEnvironmentOptions): Promise<SyncTestEnvironment> {
  return SyncTestEnvironment.createFromExistingServer(inject('temporalAddress'), options)
}
