import { Command } from 'commander'
import type { Delivery, Receipt, SyncService } from '../client.js'
import { InvalidInputError } from '../domain/errors.js'
import { EXIT } from './exit-codes.js'
import { withHelpEnd } from './help.js'
import { parseDuration } from './option-values.js'
import { note, print, printJson } from './output.js'
import { printDeliveries } from './output-delivery.js'
import { progressSpinner } from './progress-spinner.js'
import { readDeliveries } from './read-deliveries.js'
import { parseJson, readSource, STANDARD_INPUT } from './read-input.js'
import { withService } from './with-service.js'

const SUBJECT = 'emit'

interface EmitFlags {
  file?: string
  id?: string
  key?: string
  time?: string
  wait?: true
  timeout?: number
  json?: true
}

export function emitCommand(): Command {
  const command = new Command(SUBJECT)
    .description('emit an event: every endpoint that is subscribed to its type gets it')
    .argument('<type>', 'what happened, such as policy.approved')
    .argument('[data]', 'its data as JSON, or - for standard input')
    .option('--file <file>', 'read the data from a file')
    .option('--id <id>', 'emitting the same type and id again is harmless (default: a new UUIDv7)')
    .option('--key <key>', 'the entity that it is about, such as policy/42')
    .option('--time <time>', 'when it happened, RFC 3339 (default: now)')
    .option('--wait', 'wait until every delivery has ended, and show them')
    .option(
      '--timeout <duration>',
      'wait for this long at most, such as 30s; the deliveries go on',
      parseDuration,
    )
    .option('--json', 'the receipt as a JSON object, with the deliveries after --wait')
    .action(emit)
  return withHelpEnd(command, {
    examples: [
      `external-sync emit policy.approved '{"id": "SAFETY-7", "content": "No landings at night."}'`,
      'external-sync emit policy.approved --file policy.json --id SAFETY-7-v1 --key policy/SAFETY-7',
      'jq .policy request.json | external-sync emit policy.approved - --wait --timeout 30s',
    ],
    exits: ['undelivered'],
  })
}

async function emit(
  type: string,
  given: string | undefined,
  { file, id, key, time, wait, timeout, json }: EmitFlags,
): Promise<void> {
  if (timeout !== undefined && !wait) refuse('--timeout', '--wait with it')
  const data = await readData(given, file)
  await withService(async (service) => {
    const options = {
      ...(id !== undefined && { id }),
      ...(key !== undefined && { key }),
      ...(time !== undefined && { time }),
    }
    const receipt = await service.emit(type, data, options)
    if (!json) printReceipt(type, receipt)
    let deliveries: Delivery[] | undefined
    try {
      if (wait) deliveries = await waitForThem(service, type, receipt, timeout)
    } finally {
      if (json) printJson({ ...receipt, ...(deliveries && { deliveries }) })
    }
    if (deliveries === undefined) return
    if (!json) printDeliveries(deliveries)
    if (deliveries.some(({ state }) => state !== 'delivered')) process.exitCode = EXIT.undelivered
  })
}

async function readData(given: string | undefined, file: string | undefined): Promise<unknown> {
  if ((given === undefined) === (file === undefined)) {
    refuse('data', 'JSON as an argument, - for standard input, or --file, and one of them')
  }
  if (file !== undefined) return parseFrom(file, '--file')
  if (given === STANDARD_INPUT) return parseFrom(given, 'data')
  return parseJson(given ?? '', { subject: SUBJECT, field: 'data' })
}

async function parseFrom(source: string, field: string): Promise<unknown> {
  const input = { subject: SUBJECT, field }
  return parseJson(await readSource(source, input), input)
}

async function waitForThem(
  service: SyncService,
  type: string,
  { eventId }: Receipt,
  timeoutMs: number | undefined,
): Promise<Delivery[]> {
  const over = new AbortController()
  const { signal } = over
  const end = (): void => over.abort()
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs)
  // A second Ctrl-C ends the program.
  process.once('SIGINT', end)
  const spinner = progressSpinner('waiting until every delivery has ended')
  try {
    const haveEnded = await service.waitForDeliveries(type, eventId, { signal })
    spinner.stop()
    if (!haveEnded) note('the wait is over, and the deliveries go on')
    return await readDeliveries(service, { type, id: eventId })
  } finally {
    clearTimeout(timer)
    spinner.stop()
  }
}

function printReceipt(type: string, { eventId, duplicate }: Receipt): void {
  print(`${type}/${eventId} ${duplicate ? 'had been accepted before' : 'is accepted'}`)
}

function refuse(field: string, accepted: string): never {
  throw new InvalidInputError(SUBJECT, [{ field, accepted }])
}
