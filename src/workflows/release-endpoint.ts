import { proxyActivities, setHandler } from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import { releaseAgainSignal } from './messages.js'

const { releaseWaiting } = proxyActivities<Activities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/** Lets every delivery go on that waits for an endpoint, until none is left that has not been told. */
export async function releaseEndpoint(endpoint: string): Promise<void> {
  let again = true
  setHandler(releaseAgainSignal, () => {
    again = true
  })
  while (again) {
    again = false
    await releaseWaiting(endpoint)
  }
}
