import { Command, InvalidArgumentError } from 'commander'
import { loadConfig } from '../config.js'
import { SyncError } from '../domain/errors.js'
import type { EndpointChange } from '../store/endpoint-store.js'
import { openStoreOf } from '../store/open-store.js'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1_000

interface HistoryFlags {
  limit: number
  before?: number
  json?: true
}

export function endpointsCommand(): Command {
  const endpoints = new Command('endpoints').description('look at the registered endpoints')
  endpoints
    .command('history')
    .description('who changed an endpoint, when, and which settings; latest first, removed endpoints too')
    .argument('<name>', 'name of the endpoint')
    .option('--limit <count>', `how many changes, at most ${MAX_LIMIT}`, parseCount, DEFAULT_LIMIT)
    .option('--before <revision>', 'only changes before this revision, for the next page', parseCount)
    .option('--json', 'one JSON object on each line')
    .action(showHistory)
  return endpoints
}

async function showHistory(name: string, { limit, before, json }: HistoryFlags): Promise<void> {
  const store = await openStoreOf(loadConfig(process.env))
  try {
    const changes = await store.history(name, {
      limit: Math.min(limit, MAX_LIMIT),
      ...(before !== undefined && { before }),
    })
    if (changes.length === 0 && before === undefined) {
      throw new SyncError('ENDPOINT_NOT_FOUND', `endpoint ${JSON.stringify(name)} was never registered`)
    }
    const lines = json ? changes.map((change) => JSON.stringify(change)) : table(changes)
    process.stdout.write(lines.map((line) => `${line}\n`).join(''))
  } finally {
    await store.close()
  }
}

function table(changes: readonly EndpointChange[]): string[] {
  const rows = changes.map(({ revision, at, actor, action, fields }) => [
    String(revision),
    at,
    action,
    actor,
    fields.join(', '),
  ])
  const all = [['REVISION', 'TIME', 'CHANGE', 'BY', 'SETTINGS'], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d{1,9}$/.test(text) && count >= 1) return count
  throw new InvalidArgumentError('expected a whole number of 1 or more')
}
