import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { ListedEvent, SyncService } from '../client.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { stopSignal } from '../stop-signal.js'
import { eventPages } from './event-pages.js'
import { withHelpEnd } from './help.js'
import { colorsFor, note, print, printJson } from './output.js'
import { withService } from './with-service.js'

/** How often Temporal's visibility is asked, which is about a second behind itself, in milliseconds. */
const INTERVAL_MS = 1_000

/** By how much visibility, and another machine's clock, may be behind, in milliseconds. */
const LAG_MS = 60_000

/** Events that are compared with how they were a moment before. */
const MAX_WATCHED = 1_000

interface WatchFlags {
  type?: string
  json?: true
}

export function watchCommand(): Command {
  const command = new Command('watch')
    .description('show each event that is accepted, waits, goes on or ends, until stopped')
    .option('--type <type>', 'only of this type')
    .option('--json', 'one JSON object on each line')
    .action(watch)
  return withHelpEnd(command, {
    examples: ['external-sync events watch', 'external-sync events watch --type policy.approved --json'],
  })
}

async function watch({ type, json }: WatchFlags): Promise<void> {
  const signal = stopSignal()
  const filter = type === undefined ? {} : { type }
  await withService(async (service) => {
    let lookedAt = Date.now()
    let seen = await look(service, filter, lookedAt)
    const running = [...seen.values()].filter(({ status }) => status === 'running').length
    note(
      running < MAX_WATCHED
        ? `watching, ${running} events run; stop with Ctrl-C`
        : `more than ${MAX_WATCHED} events run, and only the latest are watched: narrow it by --type`,
    )
    while (!signal.aborted) {
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      const since = lookedAt
      lookedAt = Date.now()
      const now = await look(service, filter, since)
      for (const [key, event] of now) {
        if (describe(event) !== describe(seen.get(key))) show(event, json)
      }
      seen = now
    }
  })
}

/** The events that run, and those that have ended about since the look before. */
async function look(
  service: SyncService,
  filter: { type?: string },
  lookedAt: number,
): Promise<Map<string, ListedEvent>> {
  const since = new Date(lookedAt - LAG_MS).toISOString()
  const events: ListedEvent[] = []
  for await (const page of eventPages(service, filter, MAX_WATCHED)) {
    const recent = page.events.filter(({ endedAt = since }) => endedAt >= since)
    events.push(...recent)
    if (recent.length < page.events.length) break
  }
  // The latest comes first in a listing, and last in a log.
  return new Map(events.toReversed().map((event) => [workflowIdOf(event), event]))
}

function show(event: ListedEvent, json: true | undefined): void {
  if (json) return printJson(event)
  const { dim } = colorsFor(process.stdout)
  print(`${dim(new Date().toLocaleTimeString('en-GB'))}  ${workflowIdOf(event)}  ${describe(event)}`)
}

function describe(event: ListedEvent | undefined): string {
  if (event === undefined) return ''
  const { status, waiting, waitingOn } = event
  if (status !== 'running') return status
  if (waiting === 0) return 'running'
  const others = waiting - waitingOn.length
  return `waits for ${waitingOn.join(', ')}${others > 0 ? ` and ${others} more` : ''}`
}
