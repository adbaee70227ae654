import { Option, type Command } from 'commander'
import type { EndpointChanges } from '../client.js'
import { InvalidInputError } from '../domain/errors.js'
import { FORMAT_NAMES } from '../domain/formats/format-names.js'
import { collect, collectNames } from './option-values.js'
import { parseJson, readSource, STANDARD_INPUT } from './read-input.js'
import { readSecret, SOURCES } from './secret-source.js'

/** The options that set an endpoint's settings. */
export interface SettingsFlags {
  url?: string
  events?: string[]
  format?: string
  authTokenFrom?: string
  signingSecretFrom?: string[]
  headerFrom?: string[]
  settings?: string
}

/** Options that would take a secret as an argument, and what takes it otherwise. */
const REFUSED_OPTIONS = [
  ['--auth-token', '--auth-token-from'],
  ['--signing-secret', '--signing-secret-from'],
  ['--header', '--header-from'],
] as const

/** Adds the options of {@link SettingsFlags} to a command. */
export function withSettingsOptions(command: Command, subject: string): Command {
  command
    .option('--url <url>', 'where deliveries are sent')
    .option('--events <types>', 'event types such as policy.approved or policy.*, with commas', collectNames)
    .option('--format <format>', `how events are sent: ${FORMAT_NAMES.join(', ')}`)
    .option('--auth-token-from <source>', `read the Authorization header's value from: ${SOURCES}`)
    .option(
      '--signing-secret-from <source>',
      'read a secret that signs; two sign while one replaces',
      collect,
    )
    .option('--header-from <name=source>', "read an extra header's value; may be given again", collect)
    .option('--settings <file>', 'JSON of any settings, from a file or - (standard input)')
  for (const [name, other] of REFUSED_OPTIONS) {
    command.addOption(new Option(`${name} [value]`).hideHelp().argParser(() => refuse(name, other)))
  }
  return command

  function refuse(field: string, other: string): never {
    throw new InvalidInputError(subject, [
      {
        field,
        accepted:
          'no secret as an argument, which the list of processes and the history of the shell show; ' +
          `give ${other}: ${SOURCES}`,
      },
    ])
  }
}

/**
 * The settings that were given: those of `--settings`, in which `null` takes one away, and over them those with an
 * option of their own.
 * @throws {InvalidInputError} where a source cannot be read, or is no JSON
 */
export async function readSettings(
  subject: string,
  name: string,
  { url, events, format, authTokenFrom, signingSecretFrom = [], headerFrom = [], settings }: SettingsFlags,
): Promise<EndpointChanges> {
  const headers = headerFrom.map((given) => parseHeader(subject, given))
  refuseSharedInput(subject, [
    settings,
    authTokenFrom,
    ...signingSecretFrom,
    ...headers.map(([, source]) => source),
  ])
  const secret = (source: string, what: string, field: string): Promise<string> =>
    readSecret(source, `${what} of ${name}`, { subject, field })

  const read: Record<string, unknown> = settings === undefined ? {} : await readAll(subject, settings)
  if (url !== undefined) read['url'] = url
  if (events !== undefined) read['events'] = events
  if (format !== undefined) read['format'] = format
  if (authTokenFrom !== undefined)
    read['authToken'] = await secret(authTokenFrom, 'authToken', '--auth-token-from')
  if (signingSecretFrom.length > 0) {
    const secrets: string[] = []
    for (const source of signingSecretFrom)
      secrets.push(await secret(source, 'signing secret', '--signing-secret-from'))
    read['signingSecrets'] = secrets
  }
  if (headers.length > 0) {
    const values: Record<string, string> = {}
    for (const [header, source] of headers) values[header] = await secret(source, header, '--header-from')
    read['headers'] = values
  }
  return read
}

async function readAll(subject: string, source: string): Promise<Record<string, unknown>> {
  const field = '--settings'
  const given = parseJson(await readSource(source, { subject, field }), { subject, field, isSecret: true })
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidInputError(subject, [{ field, accepted: 'a JSON object of settings' }])
  }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? undefined]))
}

/** What follows the name may be the secret, and is not shown. */
function parseHeader(subject: string, given: string): [name: string, source: string] {
  const [, header, source] = /^([^=]+)=(.+)$/s.exec(given) ?? []
  if (header !== undefined && source !== undefined) return [header, source]
  throw new InvalidInputError(subject, [
    { field: '--header-from', accepted: `<name>=<source>, where the source is ${SOURCES}` },
  ])
}

function refuseSharedInput(subject: string, sources: readonly (string | undefined)[]): void {
  if (sources.filter((source) => source === STANDARD_INPUT).length < 2) return
  throw new InvalidInputError(subject, [
    { field: STANDARD_INPUT, accepted: 'one option at most that reads standard input' },
  ])
}
