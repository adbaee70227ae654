import { isatty } from 'node:tty'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import pc from 'picocolors'
import { SyncService, type Replay, type ReplayState } from '../client.js'
import { stopSignal } from '../stop-signal.js'
import { progressSpinner } from './progress-spinner.js'
import { describeProgress, describeReach, replayTable } from './replay-text.js'

/** How often it is asked how far a replay is, in milliseconds. */
const LOOK_EVERY_MS = 1_000

interface StartFlags {
  since: string
  until?: string
  type?: string
  state?: ReplayState
  rate?: number
  json?: true
  detach?: true
}

export function replayCommand(): Command {
  const replay = new Command('replay').description('send past events to one endpoint, and watch that')
  replay
    .command('start', { isDefault: true })
    .description('start a replay, and watch it; "start" itself may be left out')
    .argument('<endpoint>', 'name of the endpoint')
    .requiredOption(
      '--since <time>',
      'events accepted then or later: a day (UTC), or an RFC 3339 time',
      toTime,
    )
    .option('--until <time>', 'events accepted before then (default: now)', toTime)
    .option('--type <type>', 'an event type, or policy.* for all that begin so (default: all)')
    .option(
      '--state <state>',
      'only events whose own delivery to the endpoint is delivered, discarded, absent or undelivered (default: all)',
    )
    .option('--rate <count>', 'events a second at most (default: 100)', toNumber)
    .option('--json', 'one JSON object on each line, at each change')
    .option('--detach', 'do not watch it')
    .action(start)
  replay
    .command('watch')
    .description('show how far a replay is, until it is over; Ctrl-C ends the watching alone')
    .argument('<id>', 'id of the replay')
    .option('--json', 'one JSON object on each line, at each change')
    .action((id: string, flags: { json?: true }) => withService((service) => watch(service, id, flags)))
  replay
    .command('list')
    .description('the replays that Temporal still knows, the latest first')
    .option('--json', 'one JSON object on each line')
    .action(list)
  const change = (name: 'pause' | 'resume' | 'cancel', description: string, done: string): void => {
    replay
      .command(name)
      .description(description)
      .argument('<id>', 'id of the replay')
      .action((id: string) =>
        withService(async (service) => {
          await service[`${name}Replay`](id)
          process.stdout.write(`${done}\n`)
        }),
      )
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
    if (!json) process.stdout.write(`replay ${replay.id} to ${endpoint}\n${describeReach(replay)}\n`)
    if (detach && json) process.stdout.write(`${JSON.stringify(replay)}\n`)
    if (!detach) await watch(service, replay.id, { json })
    else if (!json) process.stdout.write(`Watch it with: ${watchCommand(replay.id)}\n`)
  })
}

async function list({ json }: { json?: true }): Promise<void> {
  await withService(async (service) => {
    const replays = await service.listReplays()
    const lines = json ? replays.map((replay) => JSON.stringify(replay)) : replayTable(replays)
    process.stdout.write(lines.map((line) => `${line}\n`).join(''))
  })
}

/** Exits with 1 where the replay did not complete. */
async function watch(service: SyncService, id: string, { json }: { json?: true | undefined }): Promise<void> {
  const stop = stopSignal()
  let shown = await service.getReplay(id)
  const spinner = json ? undefined : progressSpinner(describeProgress(shown))
  const show = (replay: Replay): void => {
    if (spinner !== undefined) spinner.text = describeProgress(replay)
    else if (JSON.stringify(replay) !== JSON.stringify(shown)) print(replay)
    shown = replay
  }
  try {
    if (spinner === undefined) print(shown)
    while (shown.endedAt === undefined && !stop.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
      show(await service.getReplay(id))
    }
  } finally {
    spinner?.stop()
  }
  if (shown.endedAt === undefined) {
    process.stderr.write(`The replay goes on. Watch it with: ${watchCommand(id)}\n`)
    return
  }
  if (shown.status !== 'completed') process.exitCode = 1
  if (spinner === undefined) return
  const { green, red } = pc.createColors(isatty(process.stdout.fd) && pc.isColorSupported)
  const sign = shown.status === 'completed' ? green('✓') : red('✗')
  process.stdout.write(`${sign} ${describeProgress(shown)}\n`)
}

function print(replay: Replay): void {
  process.stdout.write(`${JSON.stringify(replay)}\n`)
}

async function withService(work: (service: SyncService) => Promise<void>): Promise<void> {
  const service = await SyncService.connect()
  try {
    await work(service)
  } finally {
    await service.close()
  }
}

function watchCommand(id: string): string {
  return `npx external-sync replay watch ${id}`
}

/** A day is taken from its beginning, in UTC. */
function toTime(text: string): string {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
}

function toNumber(text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return number
  throw new InvalidArgumentError('expected a number')
}
