import { array, assert, asyncProperty, constantFrom } from 'fast-check'
import { expect, test } from 'vitest'
import type { SyncTestEnvironment } from '../../src/testing/index.js'
import { openEnvironment } from '../support/environment.js'
import { emitIn, GROUPINGS, type Grouping } from '../support/grouping.js'

const STATUSES = [200, 204, 301, 400, 401, 404, 408, 422, 429, 500, 503]

type Step = 'pause' | 'resume' | 'fix' | 'retry' | 'discard' | 'restart worker' | 'wait for an attempt'

const step = constantFrom<Step>(
  'pause',
  'resume',
  'fix',
  'retry',
  'discard',
  'restart worker',
  'wait for an attempt',
)

test.for(GROUPINGS)(
  'whatever happens, with grouping %s, a delivery is delivered or discarded by an operator',
  { timeout: 600_000 },
  async (grouping) => {
    const environment = await openEnvironment({ grouping })
    await assert(
      asyncProperty(
        array(constantFrom(...STATUSES), { maxLength: 4 }),
        array(step, { maxLength: 5 }),
        (statuses, steps) => play(environment, grouping, statuses, steps),
      ),
      { numRuns: 6, endOnFailure: true },
    )
  },
)

async function play(
  environment: SyncTestEnvironment,
  grouping: Grouping,
  statuses: number[],
  steps: Step[],
): Promise<void> {
  const { syncService } = environment
  const name = `EMS-${crypto.randomUUID()}`
  const type = `policy.${crypto.randomUUID()}`
  const statusesSent: number[] = []
  const receiver = await environment.startReceiver((_, response) => {
    const status = statuses.shift() ?? 200
    statusesSent.push(status)
    response.writeHead(status).end()
  })
  const retry = { initialIntervalMs: 100, maximumIntervalMs: 1_000 }
  await syncService.registerEndpoint(name, { url: receiver.url, events: [type], retry })
  const receipt = await emitIn(grouping, syncService, type, {})
  let discarded = false

  for (const next of steps) await take(next)
  await syncService.resumeEndpoint(name)
  await syncService.updateEndpoint(name, { headers: { 'x-fixed': 'finally' } })

  // Answers of kinds that wait may still be in the queue; an operator's retry stands for the slow interval.
  const ended = environment.waitForDeliveries(receipt)
  const nudge = setInterval(() => void nudgeOnce(), 1_500)
  const deliveries = await ended
  clearInterval(nudge)

  expect(deliveries).toHaveLength(1)
  const [delivery] = deliveries
  expect(delivery?.state).toBeOneOf(discarded ? ['delivered', 'discarded'] : ['delivered'])
  const delivered = statusesSent.some((status) => status >= 200 && status < 300)
  expect(delivered).toBe(delivery?.state === 'delivered')
  // A first attempt whose worker stopped before it could say so is made again, and not counted.
  expect(delivery?.attempts).toBeLessThanOrEqual(statusesSent.length)

  async function nudgeOnce(): Promise<void> {
    await syncService.retryDelivery(type, receipt.eventId, name).catch(() => undefined)
  }

  async function take(next: Step): Promise<unknown> {
    switch (next) {
      case 'pause':
        return syncService.pauseEndpoint(name)
      case 'resume':
        return syncService.resumeEndpoint(name)
      case 'fix':
        return syncService.updateEndpoint(name, { headers: { 'x-fixed': crypto.randomUUID() } })
      case 'retry':
        return nudgeOnce()
      case 'discard':
        return syncService.discardDelivery(type, receipt.eventId, name, 'not needed').then(
          ({ state }) => (discarded ||= state === 'discarded'),
          () => undefined,
        )
      case 'restart worker':
        return environment.startWorker()
      case 'wait for an attempt':
        return Promise.race([
          receiver.waitForRequests(1),
          new Promise((resolve) => setTimeout(resolve, 2_000)),
        ])
    }
  }
}
