import { Command } from 'commander'
import { loadConfig } from '../config.js'
import { SyncError } from '../domain/errors.js'
import type { EndpointChange } from '../store/endpoint-store.js'
import { withHelpEnd } from './help.js'
import { parseCount } from './option-values.js'
import { printJson } from './output.js'
import { printTable, type Column } from './output-table.js'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1_000

const COLUMNS: readonly Column<EndpointChange>[] = [
  { title: 'REVISION', value: ({ revision }) => String(revision) },
  { title: 'TIME', value: ({ at }) => at },
  { title: 'CHANGE', value: ({ action }) => action },
  { title: 'BY', value: ({ actor }) => actor },
  { title: 'SETTINGS', value: ({ fields }) => fields.join(', '), isFlexible: true },
]

interface HistoryFlags {
  limit: number
  before?: number
  json?: true
}

export function historyCommand(): Command {
  const command = new Command('history')
    .description('who changed an endpoint, when, and which settings; latest first, removed endpoints too')
    .argument('<name>', 'name of the endpoint')
    .option('--limit <count>', `how many changes, at most ${MAX_LIMIT}`, parseCount, DEFAULT_LIMIT)
    .option('--before <revision>', 'only changes before this revision, for the next page', parseCount)
    .option('--json', 'one JSON object on each line')
    .action(showHistory)
  return withHelpEnd(command, {
    examples: ['external-sync endpoints history EMS-Scheduler'],
    exits: ['notFound'],
  })
}

/** It needs no Temporal, and so is there when that is not. */
async function showHistory(name: string, { limit, before, json }: HistoryFlags): Promise<void> {
  const { openStoreOf } = await import('../store/open-store.js')
  const store = await openStoreOf(loadConfig(process.env))
  try {
    const changes = await store.history(name, {
      limit: Math.min(limit, MAX_LIMIT),
      ...(before !== undefined && { before }),
    })
    if (changes.length === 0 && before === undefined) {
      throw new SyncError('ENDPOINT_NOT_FOUND', `endpoint ${JSON.stringify(name)} was never registered`)
    }
    if (json) changes.forEach(printJson)
    else printTable(COLUMNS, changes)
  } finally {
    await store.close()
  }
}
