/**
 * `npm run demo`: an approval service, two systems of a city that have to hear of its events, and an outage of
 * one of them. Everything runs on this machine, on files of its own that are removed at the end.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { SyncService, type Delivery, type Receipt, type SyncEvent } from 'external-sync'
import { startReceiver, type Receiver } from 'external-sync/testing'
import { createScreen } from './demo-screen.js'
import { startDemoSystem } from './demo-system.js'
import { PolicyService } from './policy-service.js'

const EMS = 'EMS-Scheduler'
const HOSPITAL = 'Regional-Hospital'

/** How many attempts of the hospital fail before it comes back. */
const FAILED_ATTEMPTS_SHOWN = 3
const LOOK_INTERVAL_MS = 100
const LONGEST_SLEEP_MS = 2 ** 31 - 1

interface DemoOptions {
  once: boolean
  keepDown: boolean
  timeout: number
}

const { once, keepDown, timeout } = new Command('npm run demo --')
  .description('Shows two events on their way to two systems, one of which is down for a while')
  .option('--once', 'end as soon as everything is delivered, instead of waiting for Ctrl-C', false)
  .option('--keep-down', 'never bring the hospital back, so that its delivery stays open', false)
  .option('--timeout <seconds>', 'how long an event may take to its endpoints', parseSeconds, 60)
  .parse()
  .opts<DemoOptions>()

const screen = createScreen(process.stdout)
const stopping = new AbortController()
const { signal } = stopping
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort())

try {
  await run()
} catch (error) {
  if (!signal.aborted) {
    screen.failure(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}

async function run(): Promise<void> {
  await using system = await startDemoSystem({ screen, signal })
  await using syncService = await SyncService.connect({
    env: { SYNC_DATA_DIR: system.dataDir },
    temporal: { address: system.address, namespace: system.namespace },
  })
  await using ems = await startReceiver()
  await using hospital = await startReceiver()

  screen.title('Two systems of the city are registered')
  await syncService.registerEndpoint(EMS, { url: ems.url, authToken: 'Bearer ems-4f7c' })
  await syncService.registerEndpoint(HOSPITAL, { url: hospital.url, authToken: 'Bearer hospital-91d2' })
  for (const endpoint of await syncService.listEndpoints()) {
    screen.say(`${endpoint.name.padEnd(17)}  ${'url' in endpoint ? endpoint.url : endpoint.problem}`)
  }

  screen.title('A policy is approved')
  const policyService = new PolicyService()
  syncService.forward(policyService, 'approved', 'policy.approved')
  const accepted = new Promise<SyncEvent>((resolve) => {
    syncService.once('policy.approved', (_, event) => resolve(event))
  })
  policyService.approve({
    id: 'SAFETY-7',
    title: 'Helipad closed at night',
    content: 'No landings from 22:00 to 06:00.',
  })
  const approved = await accepted
  await watch(syncService, approved, everythingDelivered)

  screen.title('The hospital goes down, and the schedule is updated')
  await hospital.stop()
  const updated = await syncService.emit('schedule.updated', { shift: 'night', ambulances: 4 })
  const event = { type: 'schedule.updated', id: updated.eventId }
  await watch(syncService, event, hospitalHasFailed(FAILED_ATTEMPTS_SHOWN))
  if (!keepDown) {
    await hospital.listen()
    screen.title('The hospital is back: the next attempt finds it')
  }
  await watch(syncService, event, everythingDelivered)

  checkReceived({ [EMS]: ems, [HOSPITAL]: hospital }, [approved.id, updated.eventId])
  screen.title('Everything was delivered')
  screen.say('The outage, attempt by attempt, in the Temporal UI:')
  screen.say(`  ${linkTo(system.uiUrl, updated)}`)
  if (once) return
  screen.say('\nCtrl-C ends the demo.')
  await sleep(LONGEST_SLEEP_MS, undefined, { signal })
}

/** Looks where an event's deliveries stand, shows each new wait, and returns as soon as they are as wanted. */
async function watch(
  syncService: SyncService,
  { type, id }: Pick<SyncEvent, 'type' | 'id'>,
  areAsWanted: (deliveries: Delivery[]) => boolean,
): Promise<void> {
  const deadline = Date.now() + timeout * 1_000
  for (;;) {
    const { deliveries } = await syncService.deliveries(type, id)
    for (const delivery of deliveries) screen.wait(type, delivery)
    if (areAsWanted(deliveries)) return
    if (Date.now() > deadline) {
      const open = deliveries.filter(({ state }) => state !== 'delivered').map(({ endpoint }) => endpoint)
      throw new Error(`${type} was not delivered to ${open.join(', ')} within ${timeout} s`)
    }
    await sleep(LOOK_INTERVAL_MS, undefined, { signal })
  }
}

function everythingDelivered(deliveries: Delivery[]): boolean {
  return deliveries.length === 2 && deliveries.every(({ state }) => state === 'delivered')
}

function hospitalHasFailed(attempts: number) {
  return (deliveries: Delivery[]): boolean =>
    deliveries.some((delivery) => delivery.endpoint === HOSPITAL && delivery.attempts >= attempts)
}

/** What counts in the end is what arrived. */
function checkReceived(receivers: Record<string, Receiver>, eventIds: string[]): void {
  for (const [name, { requests }] of Object.entries(receivers)) {
    const received = new Set(requests.map(({ headers }) => headers['webhook-id']))
    const missing = eventIds.filter((id) => !received.has(id))
    if (missing.length > 0) throw new Error(`${name} has not received ${missing.join(', ')}`)
  }
}

function linkTo(uiUrl: string, { workflowId }: Receipt): string {
  return `${uiUrl}/namespaces/default/workflows/${encodeURIComponent(workflowId)}`
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (seconds > 0 && seconds <= 86_400) return seconds
  throw new InvalidArgumentError('expected seconds, more than 0 and at most 86400')
}
