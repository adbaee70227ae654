import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import type { Replay, ReplayState, SyncService } from '../client.js'
import { stopSignal } from '../stop-signal.js'
import { EXIT } from './exit-codes.js'
import { withHelpEnd } from './help.js'
import { MOMENTS, parseMoment } from './option-values.js'
import { colorsFor, note, print, printJson } from './output.js'
import { printTable } from './output-table.js'
import { progressSpinner } from './progress-spinner.js'
import { describeProgress, describeReach, REPLAY_COLUMNS } from './replay-text.js'
import { withService } from './with-service.js'

/** How often it is asked how far a replay is, in milliseconds. */
const LOOK_EVERY_MS = 1_000

const EXAMPLE_ID = '019abb6c-2f5e-7d3a-9f0e-5a1c6b7d8e9f'

interface StartFlags {
  since: Date
  until?: Date
  type?: string
  state?: ReplayState
  rate?: number
  json?: true
  detach?: true
}

export function replayCommand(): Command {
  const replay = new Command('replay').description('send past events to one endpoint, and watch that')
  const starting = replay
    .command('start', { isDefault: true })
    .description('start a replay, and watch it; "start" itself may be left out')
    .argument('<endpoint>', 'name of the endpoint')
    .requiredOption('--since <time>', `only those accepted since: ${MOMENTS}`, parseMoment)
    .option('--until <time>', `only those accepted before: ${MOMENTS} (default: now)`, parseMoment)
    .option('--type <type>', 'an event type, or policy.* for all that begin so (default: all)')
    .option(
      '--state <state>',
      'only events whose own delivery to the endpoint is delivered, discarded, absent or undelivered (default: all)',
    )
    .option('--rate <count>', 'events a second at most (default: 100)', toNumber)
    .option('--json', 'one JSON object on each line, at each change')
    .option('--detach', 'do not watch it')
    .action(start)
  withHelpEnd(starting, {
    examples: [
      'external-sync replay EMS-Scheduler --since 2026-11-01',
      "external-sync replay EMS-Scheduler --since 7d --type 'policy.*' --state undelivered --rate 20",
      'external-sync replay EMS-Scheduler --since 2h --detach --json',
    ],
    exits: ['notFound'],
  })
  const watching = replay
    .command('watch')
    .description('show how far a replay is, until it is over; Ctrl-C ends the watching alone')
    .argument('<id>', 'id of the replay')
    .option('--json', 'one JSON object on each line, at each change')
    .action((id: string, flags: { json?: true }) => withService((service) => watch(service, id, flags)))
  withHelpEnd(watching, { examples: [`external-sync replay watch ${EXAMPLE_ID}`], exits: ['notFound'] })
  const listing = replay
    .command('list')
    .description('the replays that Temporal still knows, the latest first')
    .option('--json', 'one JSON object on each line')
    .action(list)
  withHelpEnd(listing, { examples: ['external-sync replay list'], exits: ['none'] })
  const change = (name: 'pause' | 'resume' | 'cancel', description: string, done: string): void => {
    const changing = replay
      .command(name)
      .description(description)
      .argument('<id>', 'id of the replay')
      .action((id: string) =>
        withService(async (service) => {
          await service[`${name}Replay`](id)
          print(done)
        }),
      )
    withHelpEnd(changing, { examples: [`external-sync replay ${name} ${EXAMPLE_ID}`], exits: ['notFound'] })
  }
  change('pause', 'send no more until it is resumed', 'It pauses within a few seconds.')
  change('resume', 'go on where it was paused', 'It goes on.')
  change('cancel', 'send no more, and give up what waits', 'It ends within a few seconds.')
  return replay
}

async function start(endpoint: string, { rate, json, detach, ...options }: StartFlags): Promise<void> {
  await withService(async (service) => {
    const replay = await service.startReplay({
      endpoint,
      ...options,
      ...(rate !== undefined && { perSecond: rate }),
    })
    if (!json) print(`replay ${replay.id} to ${endpoint}\n${describeReach(replay)}`)
    if (detach && json) printJson(replay)
    if (!detach) await watch(service, replay.id, { json })
    else if (!json) print(`Watch it with: ${watchCommand(replay.id)}`)
  })
}

async function list({ json }: { json?: true }): Promise<void> {
  await withService(async (service) => {
    const replays = await service.listReplays()
    if (json) for (const replay of replays) printJson(replay)
    else if (replays.length > 0) printTable(REPLAY_COLUMNS, replays)
    if (replays.length > 0) return
    note('no replay')
    process.exitCode = EXIT.none
  })
}

/** Exits with 1 where the replay did not complete. */
async function watch(service: SyncService, id: string, { json }: { json?: true | undefined }): Promise<void> {
  const stop = stopSignal()
  let shown = await service.getReplay(id)
  const spinner = json ? undefined : progressSpinner(describeProgress(shown))
  const show = (replay: Replay): void => {
    if (spinner !== undefined) spinner.text = describeProgress(replay)
    else if (JSON.stringify(replay) !== JSON.stringify(shown)) printJson(replay)
    shown = replay
  }
  try {
    if (spinner === undefined) printJson(shown)
    while (shown.endedAt === undefined && !stop.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
      show(await service.getReplay(id))
    }
  } finally {
    spinner?.stop()
  }
  if (shown.endedAt === undefined) {
    return note(`The replay goes on. Watch it with: ${watchCommand(id)}`)
  }
  if (shown.status !== 'completed') process.exitCode = EXIT.failed
  if (spinner === undefined) return
  const { green, red } = colorsFor(process.stdout)
  const sign = shown.status === 'completed' ? green('✓') : red('✗')
  print(`${sign} ${describeProgress(shown)}`)
}

function watchCommand(id: string): string {
  return `npx external-sync replay watch ${id}`
}

function toNumber(text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  throw new InvalidArgumentError('expected a number')
}
