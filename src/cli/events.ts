import { Command } from 'commander'
import type { EventStatus, ListedEvent } from '../client.js'
import { hasEnded } from '../domain/delivery.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { eventPages } from './event-pages.js'
import { parseEventArguments } from './event-arguments.js'
import { EXIT } from './exit-codes.js'
import { withHelpEnd } from './help.js'
import { MOMENTS, parseCount, parseMoment } from './option-values.js'
import { countedDeliveries, note, print, printJson } from './output.js'
import { printDeliveries } from './output-delivery.js'
import { startTable, type Column } from './output-table.js'
import { relativeTime } from './output-time.js'
import { readDeliveries } from './read-deliveries.js'
import { watchCommand } from './watch-events.js'
import { withService } from './with-service.js'

const DEFAULT_LIMIT = 50

const EVENT_COLUMNS: readonly Column<ListedEvent>[] = [
  { title: 'EVENT', value: workflowIdOf, isWhole: true },
  {
    title: 'STATUS',
    value: ({ status }) => status,
    paint: ({ status }, { green, cyan, red }) =>
      status === 'completed' ? green : status === 'running' ? cyan : red,
  },
  { title: 'ACCEPTED', value: ({ acceptedAt }) => relativeTime(acceptedAt) },
  { title: 'WAITING', value: ({ waiting }) => String(waiting), paint: (_, { yellow }) => yellow },
  { title: 'FOR', value: ({ waitingOn }) => waitingOn.join(', '), isOptional: true, isFlexible: true },
]

interface ListFlags {
  type?: string
  waitingOn?: string
  status?: EventStatus
  since?: Date
  until?: Date
  limit: number
  all?: true
  json?: true
}

export function eventsCommand(): Command {
  return new Command('events')
    .description('look at the events, and where each of them stands')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(watchCommand())
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list events: those that are not delivered everywhere first, then the latest')
    .option('--type <type>', 'only of this type')
    .option('--waiting-on <endpoint>', 'only those that wait for this endpoint')
    .option('--status <status>', 'only running, completed, canceled, terminated or failed')
    .option('--since <time>', `only those accepted since: ${MOMENTS}`, parseMoment)
    .option('--until <time>', `only those accepted before: ${MOMENTS}`, parseMoment)
    .option('--limit <count>', 'how many', parseCount, DEFAULT_LIMIT)
    .option('--all', 'all of them')
    .option('--json', 'one JSON object on each line')
    .action(listThem)
  return withHelpEnd(command, {
    examples: [
      'external-sync events list --since 2h',
      'external-sync events list --waiting-on EMS-Scheduler --all --json',
      'external-sync events list --waiting-on EMS-Scheduler; [ $? -eq 4 ] && echo "nothing waits for EMS"',
    ],
    exits: ['notFound', 'none'],
  })
}

async function listThem({ limit, all, json, waitingOn, status, ...filter }: ListFlags): Promise<void> {
  await withService(async (service) => {
    // A name that is mistyped must not look like an endpoint for which nothing waits.
    if (waitingOn !== undefined) await service.getEndpoint(waitingOn)
    const isWaiting = waitingOn !== undefined && status === undefined
    const options = {
      ...filter,
      ...(waitingOn !== undefined && { waitingOn }),
      ...(status !== undefined && { status }),
      // What was ended in Temporal does not wait any more, although its search attributes stay.
      ...(isWaiting && { status: 'running' as const }),
    }
    const printRows = json ? printEach : startTable(EVENT_COLUMNS)
    let count = 0
    let hasMore = false
    for await (const { events, nextCursor } of eventPages(service, options, all ? Infinity : limit)) {
      if (events.length > 0) printRows(events)
      count += events.length
      hasMore = nextCursor !== undefined
    }
    if (hasMore) note(`there are more: --limit ${limit * 10}, or --all`)
    if (count > 0) return
    note(waitingOn === undefined ? 'no event' : `nothing waits for ${waitingOn}`)
    process.exitCode = EXIT.none
  })
}

function showCommand(): Command {
  const command = new Command('show')
    .description("show an event's deliveries: state, reason, attempts, the last answer and the next attempt")
    .argument('<event...>', '<type> <id>, or <type>/<id>')
    .option('--json', 'a JSON object, with the last 10 attempts of each delivery')
    .action(show)
  return withHelpEnd(command, {
    examples: [
      'external-sync events show policy.approved/SAFETY-7-v1',
      'external-sync events show policy.approved SAFETY-7-v1 --json',
    ],
    exits: ['notFound'],
  })
}

async function show(given: string[], { json }: { json?: true }): Promise<void> {
  const { type, id } = parseEventArguments('events show', given)
  await withService(async (service) => {
    const deliveries = await readDeliveries(service, { type, id })
    if (json) return printJson({ type, id, deliveries })
    const open = deliveries.filter((delivery) => !hasEnded(delivery)).length
    print(`${workflowIdOf({ type, id })}: ${countedDeliveries(deliveries.length)}, ${open} open`)
    printDeliveries(deliveries)
  })
}

function printEach(events: readonly ListedEvent[]): void {
  for (const event of events) printJson(event)
}
