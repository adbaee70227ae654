import { setTimeout as sleep } from 'node:timers/promises'
import { NativeConnection } from '@temporalio/worker'
import type { AddressedOptions } from './addressed-options.js'
import { mayPass } from './connection-fault.js'

/** How often a server that does not answer is tried again. */
const RETRY_INTERVAL_MS = 250

/**
 * Opens the connection that a worker uses. It gives up at the first refusal by itself, when a server may be
 * about to come up: here it is tried again for `timeoutMs`, unless trying again cannot help.
 */
export async function connectNatively(
  options: AddressedOptions,
  timeoutMs: number,
): Promise<NativeConnection> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      return await NativeConnection.connect(options)
    } catch (error) {
      if (!mayPass(error) || Date.now() + RETRY_INTERVAL_MS > deadline) throw error
      await sleep(RETRY_INTERVAL_MS)
    }
  }
}
