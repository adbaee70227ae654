import { condition, proxyActivities, setHandler } from '@temporalio/workflow'
import type { Activities } from '../activities/index.js'
import { releaseAgainSignal, type ReleaseRequest } from './messages.js'

/** When, after a recovery, it is looked once more for what was still on its way into its wait. */
const LAST_LOOK_AFTER = '1m'

const { releaseWaiting } = proxyActivities<Activities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
})

/** Lets every delivery go on that waits for an endpoint, until none is left that has not been told. */
export async function releaseEndpoint(endpoint: string, { recovered }: ReleaseRequest = {}): Promise<void> {
  const wanted = { again: true, recovered: recovered === true }
  setHandler(releaseAgainSignal, (request = {}) => {
    wanted.again = true
    wanted.recovered ||= request.recovered === true
  })
  while (wanted.again) {
    const isRecovery = wanted.recovered
    Object.assign(wanted, { again: false, recovered: false })
    await releaseWaiting(endpoint, { recovered: isRecovery })
    if (!isRecovery || (await condition(() => wanted.again, LAST_LOOK_AFTER))) continue
    await releaseWaiting(endpoint, { recovered: true, isLastLook: true })
  }
}
