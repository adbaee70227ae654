import { Command, InvalidArgumentError } from 'commander'
import { describeDatabase, loadConfig, type Config } from '../config.js'
import { openKeyRing } from '../encryption/open-key-ring.js'
import type { ReportStep, SetupStep } from '../temporal/setup-step.js'
import { colorsFor } from './output.js'

/** Longer than any server takes; what Temporal itself allows at most is the server's to say. */
const MOST_RETENTION_DAYS = 3_650

export function setupCommand(): Command {
  return new Command('setup')
    .description('make or check what workers and clients need: the namespace, search attributes, the store')
    .option(
      '--retention-days <days>',
      'how long closed workflows are kept, and with them the ids that make a second emit harmless ' +
        '(default: 30 for a new namespace, else unchanged)',
      parseDays,
    )
    .action(setUp)
}

async function setUp({ retentionDays }: { retentionDays?: number }): Promise<void> {
  const config = loadConfig(process.env)
  await setUpTemporal(config, retentionDays, printStep)
  await setUpStore(config, printStep)
}

async function setUpTemporal(
  config: Config,
  retentionDays: number | undefined,
  report: ReportStep,
): Promise<void> {
  const [{ connectClient, openTemporal }, { setUpNamespace }] = await Promise.all([
    import('../temporal/connect.js'),
    import('../temporal/setup-namespace.js'),
  ])
  const { connection, address, namespace, security } = await openTemporal(config, {}, connectClient)
  try {
    process.stdout.write(`Temporal at ${address}, ${security}\n`)
    await setUpNamespace(connection, { namespace, address, retentionDays }, report)
  } finally {
    await connection.close()
  }
}

/** Brings the endpoint store's schema up to date. */
async function setUpStore(config: Config, report: ReportStep): Promise<void> {
  const { database } = config
  const { migrateStore } = await import('../store/open-store.js')
  const migrations = await migrateStore({ database, keys: openKeyRing(config) })
  const thing = `endpoint store ${describeDatabase(database)}`
  const [first] = migrations
  const done = first === undefined ? 'there already' : first.startsWith('0001-') ? 'created' : 'changed'
  report({ thing, done })
}

function printStep({ thing, done, warning }: SetupStep): void {
  const { green, yellow, dim } = colorsFor(process.stdout)
  const color = done === 'there already' ? dim : green
  process.stdout.write(`  ${color(done.padEnd('there already'.length))}  ${thing}\n`)
  if (warning !== undefined) process.stdout.write(`  ${yellow('!'.padEnd(13))}  ${warning}\n`)
}

function parseDays(text: string): number {
  const days = Number(text)
  if (/^\d+$/.test(text) && days >= 1 && days <= MOST_RETENTION_DAYS) return days
  throw new InvalidArgumentError(`expected a whole number of days from 1 to ${MOST_RETENTION_DAYS}`)
}
