import { Command } from 'commander'
import pLimit from 'p-limit'
import type { Delivery, ListedEvent, SyncService } from '../client.js'
import { InvalidInputError } from '../domain/errors.js'
import { workflowIdOf } from '../domain/workflow-id.js'
import { parseEventArguments } from './event-arguments.js'
import { eventPages } from './event-pages.js'
import { EXIT } from './exit-codes.js'
import { withHelpEnd } from './help.js'
import { parseCount } from './option-values.js'
import { note, printJson } from './output.js'
import { DELIVERY_COLUMNS } from './output-delivery.js'
import { printTable, startTable, type Column } from './output-table.js'
import { findDelivery } from './read-deliveries.js'
import { retryWaiting } from './retry-waiting.js'
import { withService } from './with-service.js'

const DEFAULT_LIMIT = 50

/** Events that are asked for their deliveries at the same time. */
const CONCURRENT_READS = 4

/** A delivery and its event. */
type EventDelivery = Pick<ListedEvent, 'type' | 'id'> & Delivery

const COLUMNS: readonly Column<EventDelivery>[] = [
  { title: 'EVENT', value: workflowIdOf, isWhole: true },
  ...DELIVERY_COLUMNS,
]

interface WaitingFlags {
  endpoint?: string
  limit: number
  all?: true
  json?: true
}

interface RetryFlags {
  all?: true
  endpoint?: string
  json?: true
}

interface DiscardFlags {
  reason: string
  json?: true
}

export function deliveriesCommand(): Command {
  return new Command('deliveries')
    .description('see which deliveries wait, retry or discard them')
    .addCommand(waitingCommand())
    .addCommand(retryCommand())
    .addCommand(discardCommand())
}

function waitingCommand(): Command {
  const command = new Command('waiting')
    .description('list the deliveries that wait: why, since which answer, and when they are tried again')
    .option('--endpoint <name>', 'only those to this endpoint')
    .option('--limit <count>', 'how many', parseCount, DEFAULT_LIMIT)
    .option('--all', 'all of them')
    .option('--json', 'one JSON object on each line')
    .action(waiting)
  return withHelpEnd(command, {
    examples: [
      'external-sync deliveries waiting',
      'external-sync deliveries waiting --endpoint EMS-Scheduler --all --json',
    ],
    exits: ['notFound', 'none'],
  })
}

async function waiting({ endpoint: given, limit, all, json }: WaitingFlags): Promise<void> {
  await withService(async (service) => {
    const endpoints = given === undefined ? await service.listEndpoints() : [await service.getEndpoint(given)]
    const printRows = json ? (rows: readonly EventDelivery[]) => rows.forEach(printJson) : startTable(COLUMNS)
    let left = all ? Infinity : limit
    let count = 0
    for (const { name } of endpoints) {
      const filter = { waitingOn: name, status: 'running' as const }
      for await (const { events, nextCursor } of eventPages(service, filter, left)) {
        const rows = await readWaiting(service, events, name)
        if (rows.length > 0) printRows(rows)
        count += rows.length
        left -= events.length
        if (left <= 0 && nextCursor !== undefined)
          note(`more wait for ${name}: --limit ${limit * 10}, or --all`)
      }
      if (left <= 0) break
    }
    if (count > 0) return
    note(given === undefined ? 'nothing waits' : `nothing waits for ${given}`)
    process.exitCode = EXIT.none
  })
}

/** Visibility lags: what has gone on meanwhile is left out. */
async function readWaiting(
  service: SyncService,
  events: readonly ListedEvent[],
  endpoint: string,
): Promise<EventDelivery[]> {
  const rows = await pLimit(CONCURRENT_READS).map(events, async ({ type, id }) => {
    const delivery = await findDelivery(service, { type, id }, endpoint)
    return delivery?.state === 'waiting' ? [{ type, id, ...delivery }] : []
  })
  return rows.flat()
}

function retryCommand(): Command {
  const command = new Command('retry')
    .description('begin a new attempt of a delivery at once')
    .argument('[delivery...]', '<type> <id> <endpoint>, or <type>/<id> <endpoint>')
    .option('--all', 'retry all that wait for --endpoint')
    .option('--endpoint <name>', 'with --all: the endpoint')
    .option('--json', 'a JSON object')
    .action(retry)
  return withHelpEnd(command, {
    examples: [
      'external-sync deliveries retry policy.approved/SAFETY-7-v1 EMS-Scheduler',
      'external-sync deliveries retry --all --endpoint EMS-Scheduler',
    ],
    exits: ['notFound', 'none'],
  })
}

async function retry(given: string[], { all, endpoint, json }: RetryFlags): Promise<void> {
  const subject = 'deliveries retry'
  if (all && given.length === 0 && endpoint !== undefined) return retryWaiting(endpoint, json)
  if (all || endpoint !== undefined) {
    const accepted = '--all and --endpoint <name> together and no delivery, or neither'
    throw new InvalidInputError(subject, [{ field: 'options', accepted }])
  }
  const { type, id, others } = parseEventArguments(subject, given, ['endpoint'])
  await withService(async (service) => {
    printDelivery({ type, id, ...(await service.retryDelivery(type, id, others[0] ?? '')) }, json)
  })
}

function discardCommand(): Command {
  const command = new Command('discard')
    .description('give a delivery up; the reason stays on record')
    .argument('<delivery...>', '<type> <id> <endpoint>, or <type>/<id> <endpoint>')
    .requiredOption('--reason <reason>', 'why')
    .option('--json', 'a JSON object')
    .action(discard)
  return withHelpEnd(command, {
    examples: [
      'external-sync deliveries discard policy.approved/SAFETY-7-v1 EMS-Scheduler --reason "entered by hand"',
    ],
    exits: ['notFound'],
  })
}

async function discard(given: string[], { reason, json }: DiscardFlags): Promise<void> {
  const { type, id, others } = parseEventArguments('deliveries discard', given, ['endpoint'])
  await withService(async (service) => {
    printDelivery({ type, id, ...(await service.discardDelivery(type, id, others[0] ?? '', reason)) }, json)
  })
}

function printDelivery(delivery: EventDelivery, json: true | undefined): void {
  if (json) printJson(delivery)
  else printTable(COLUMNS, [delivery])
}
