import { Command } from 'commander'
import type { SyncService } from '../client.js'
import { InvalidInputError, SyncError } from '../domain/errors.js'
import { parseEndpoint } from '../domain/parse-endpoint.js'
import { showValue } from '../domain/parse-input.js'
import { readSettings, withSettingsOptions, type SettingsFlags } from './endpoint-settings.js'
import { withHelpEnd } from './help.js'
import { collectNames } from './option-values.js'
import { note, print, printJson } from './output.js'
import { withService } from './with-service.js'

const ADD = 'endpoints add'
const UPDATE = 'endpoints update'

interface JsonFlag {
  json?: true
}

interface AddFlags extends SettingsFlags, JsonFlag {
  replace?: true
}

interface UpdateFlags extends SettingsFlags, JsonFlag {
  unset?: string[]
}

interface RemoveFlags extends JsonFlag {
  discardWaiting?: true
}

/** The commands that change what is registered. */
export function changeCommands(): Command[] {
  return [
    addCommand(),
    updateCommand(),
    rotateSecretCommand(),
    pauseCommand(),
    resumeCommand(),
    removeCommand(),
  ]
}

function addCommand(): Command {
  const command = onEndpoint('add', 'register an endpoint')
    .option('--replace', 'replace all settings of an endpoint that has this name')
    .action(add)
  return withHelpEnd(withSettingsOptions(command, ADD), {
    examples: [
      'external-sync endpoints add EMS-Scheduler --url https://ems.city.example/hooks --auth-token-from prompt',
      'external-sync endpoints add Hospital --url https://hospital.example/api --events "policy.approved,schedule.*"',
      'external-sync endpoints add Hospital --settings hospital.json --header-from x-api-key=/run/secrets/hospital',
    ],
  })
}

async function add(name: string, { replace, json, ...flags }: AddFlags): Promise<void> {
  const settings = parseEndpoint(name, await readSettings(ADD, name, flags))
  await withService(async (service) => {
    if (!replace) await refuseIfRegistered(service, name)
    report(name, await service.registerEndpoint(name, settings), json)
  })
}

async function refuseIfRegistered(service: SyncService, name: string): Promise<void> {
  try {
    await service.getEndpoint(name)
  } catch (error) {
    if (error instanceof SyncError && error.code === 'ENDPOINT_NOT_FOUND') return
    throw error
  }
  throw new InvalidInputError(ADD, [
    {
      field: 'name',
      value: showValue(name),
      accepted: 'a name that no endpoint has; endpoints update changes some settings of one, --replace all',
    },
  ])
}

function updateCommand(): Command {
  const command = onEndpoint('update', 'change some settings of an endpoint; what waits for it goes on')
    .option('--unset <settings>', 'settings to take away, such as authToken,events', collectNames)
    .action(update)
  return withHelpEnd(withSettingsOptions(command, UPDATE), {
    examples: [
      'external-sync endpoints update EMS-Scheduler --auth-token-from - < token.txt',
      'external-sync endpoints update EMS-Scheduler --events "policy.*" --unset headers',
      'echo \'{"retry": {"slowIntervalMs": 60000}}\' | external-sync endpoints update EMS-Scheduler --settings -',
    ],
    exits: ['notFound'],
  })
}

async function update(name: string, { unset = [], json, ...flags }: UpdateFlags): Promise<void> {
  const taken = Object.fromEntries(unset.map((setting) => [setting, undefined]))
  const changes = { ...taken, ...(await readSettings(UPDATE, name, flags)) }
  if (Object.keys(changes).length === 0) {
    throw new InvalidInputError(UPDATE, [{ field: 'options', accepted: 'a setting to change' }])
  }
  await withService(async (service) => report(name, await service.updateEndpoint(name, changes), json))
}

function rotateSecretCommand(): Command {
  const command = onEndpoint(
    'rotate-secret',
    'sign with a new secret; the one before signs beside it',
  ).action(rotateSecret)
  return withHelpEnd(command, {
    examples: ['external-sync endpoints rotate-secret EMS-Scheduler > new-secret.txt'],
    exits: ['notFound'],
  })
}

async function rotateSecret(name: string, { json }: JsonFlag): Promise<void> {
  await withService(async (service) => {
    const rotated = await service.rotateSigningSecret(name)
    if (json) return printJson({ name, ...rotated })
    note(
      `${name} signs with a new secret and with the one before. What its receiver needs is shown this once:`,
    )
    print('signingSecret' in rotated ? rotated.signingSecret : rotated.publicKey)
  })
}

function pauseCommand(): Command {
  const command = onEndpoint(
    'pause',
    'keep what is to be delivered to an endpoint until it is resumed',
  ).action((name: string, { json }: JsonFlag) =>
    withService(async (service) => report(name, await service.pauseEndpoint(name), json, 'paused')),
  )
  return withHelpEnd(command, {
    examples: ['external-sync endpoints pause EMS-Scheduler'],
    exits: ['notFound'],
  })
}

function resumeCommand(): Command {
  const command = onEndpoint('resume', 'deliver to an endpoint again, first of all what waits').action(
    (name: string, { json }: JsonFlag) =>
      withService(async (service) => report(name, await service.resumeEndpoint(name), json, 'resumed')),
  )
  return withHelpEnd(command, {
    examples: ['external-sync endpoints resume EMS-Scheduler'],
    exits: ['notFound'],
  })
}

function removeCommand(): Command {
  const command = onEndpoint('remove', 'remove an endpoint for which nothing waits')
    .option('--discard-waiting', 'discard what waits for it, with that reason on record')
    .action((name: string, { discardWaiting, json }: RemoveFlags) =>
      withService(async (service) => {
        await service.removeEndpoint(name, { discardWaiting: discardWaiting === true })
        report(name, 'removed', json)
      }),
    )
  return withHelpEnd(command, {
    examples: [
      'external-sync endpoints remove EMS-Scheduler',
      'external-sync endpoints remove EMS-Scheduler --discard-waiting',
    ],
    exits: ['notFound'],
  })
}

function onEndpoint(action: string, description: string): Command {
  return new Command(action)
    .description(description)
    .argument('<name>', 'name of the endpoint')
    .option('--json', 'the result as a JSON object')
}

/** @param done what `updated` comes to */
function report(name: string, result: string, json: true | undefined, done = 'updated'): void {
  if (json) printJson({ name, result })
  else if (result === 'unchanged') print(`${name} is as it was`)
  else print(`${name} is ${result === 'updated' ? done : result}`)
}
