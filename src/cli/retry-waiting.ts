import pLimit from 'p-limit'
import { SyncError } from '../domain/errors.js'
import { eventPages } from './event-pages.js'
import { EXIT } from './exit-codes.js'
import { countedDeliveries, note, print, printJson } from './output.js'
import { progressSpinner } from './progress-spinner.js'
import { withService } from './with-service.js'

/** Deliveries that are told at the same time: workers answer each, and have other work. */
const CONCURRENT_RETRIES = 4

/** Retries every delivery that waits for an endpoint, a few at a time, and shows how far it is. */
export async function retryWaiting(endpoint: string, json: true | undefined): Promise<void> {
  await withService(async (service) => {
    await service.getEndpoint(endpoint)
    // All of them are listed before the first goes on, which would move the pages.
    const events: { type: string; id: string }[] = []
    for await (const page of eventPages(service, { waitingOn: endpoint, status: 'running' }, Infinity)) {
      events.push(...page.events.map(({ type, id }) => ({ type, id })))
    }
    let retried = 0
    let wentOn = 0
    const spinner = progressSpinner(`retrying ${countedDeliveries(events.length)}`)
    try {
      await pLimit(CONCURRENT_RETRIES).map(events, async ({ type, id }) => {
        if (await isRetried(() => service.retryDelivery(type, id, endpoint))) retried += 1
        else wentOn += 1
        spinner.text = `retried ${retried + wentOn} of ${countedDeliveries(events.length)}`
      })
    } finally {
      spinner.stop()
    }
    if (json) printJson({ endpoint, retried, wentOn })
    else if (events.length > 0) {
      print(`retried ${countedDeliveries(retried)} to ${endpoint}; ${wentOn} had ended meanwhile`)
    }
    if (events.length > 0) return
    note(`nothing waits for ${endpoint}`)
    process.exitCode = EXIT.none
  })
}

/** @returns false where the delivery has ended since it was listed */
async function isRetried(retry: () => Promise<unknown>): Promise<boolean> {
  try {
    await retry()
    return true
  } catch (error) {
    const isOver =
      error instanceof SyncError && (error.code === 'DELIVERY_NOT_OPEN' || error.code === 'EVENT_NOT_FOUND')
    if (isOver) return false
    throw error
  }
}
