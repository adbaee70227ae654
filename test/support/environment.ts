import { inject, onTestFinished } from 'vitest'
import { SyncTestEnvironment, type SyncTestEnvironmentOptions } from '../../src/testing/index.js'

/** The whole system on the shared dev server; it ends with the test. */
export async function openEnvironment(options?: SyncTestEnvironmentOptions): Promise<SyncTestEnvironment> {
  const environment = await SyncTestEnvironment.createFromExistingServer(inject('temporalAddress'), options)
  onTestFinished(() => environment.close())
  return environment
}
