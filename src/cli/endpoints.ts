import { Command } from 'commander'
import pLimit from 'p-limit'
import type { ShownEndpoint, SyncService } from '../client.js'
import { changeCommands } from './change-endpoints.js'
import { historyCommand } from './endpoint-history.js'
import { EXIT } from './exit-codes.js'
import { withHelpEnd } from './help.js'
import { colorsFor, note, printJson } from './output.js'
import {
  ENDPOINT_COLUMNS,
  printEndpoint,
  printTestReport,
  type EndpointWithWaiting,
} from './output-endpoint.js'
import { printTable } from './output-table.js'
import { withService } from './with-service.js'

/** Endpoints whose waiting deliveries are counted at the same time. */
const CONCURRENT_COUNTS = 8

interface JsonFlag {
  json?: true
}

export function endpointsCommand(): Command {
  const endpoints = new Command('endpoints').description('register, look at and change endpoints')
  for (const command of [
    listCommand(),
    showCommand(),
    ...changeCommands(),
    testCommand(),
    historyCommand(),
  ]) {
    endpoints.addCommand(command)
  }
  return endpoints
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list the endpoints, and how many deliveries wait for each')
    .option('--json', 'a JSON array')
    .action(list)
  return withHelpEnd(command, { examples: ['external-sync endpoints list'] })
}

async function list({ json }: JsonFlag): Promise<void> {
  await withService(async (service) => {
    const counting = pLimit(CONCURRENT_COUNTS)
    const [endpoints, running] = await Promise.all([
      service
        .listEndpoints()
        .then((shown) => counting.map(shown, (endpoint) => withWaiting(service, endpoint))),
      service.countEvents({ status: 'running' }),
    ])
    if (json) return printJson(endpoints)
    if (endpoints.length === 0) return note('no endpoint is registered: external-sync endpoints add --help')
    printTable(ENDPOINT_COLUMNS, endpoints)
    // What is being retried does not wait yet.
    note(
      running === 0
        ? 'no event is open: all endpoints are up to date'
        : `${running === 1 ? '1 event is' : `${running} events are`} not delivered everywhere yet: ` +
            'external-sync events list --status running',
    )
  })
}

function showCommand(): Command {
  const command = new Command('show')
    .description('show the settings of an endpoint; of its secrets only a hint')
    .argument('<name>', 'name of the endpoint')
    .option('--json', 'a JSON object')
    .action(show)
  return withHelpEnd(command, {
    examples: ['external-sync endpoints show EMS-Scheduler'],
    exits: ['notFound'],
  })
}

async function show(name: string, { json }: JsonFlag): Promise<void> {
  await withService(async (service) => {
    const endpoint = await withWaiting(service, await service.getEndpoint(name))
    if (json) printJson(endpoint)
    else printEndpoint(endpoint)
  })
}

function testCommand(): Command {
  const command = new Command('test')
    .description('send one external-sync.ping to an endpoint, and say what came back')
    .argument('<name>', 'name of the endpoint')
    .option('--json', 'a JSON object')
    .action(test)
  return withHelpEnd(command, {
    examples: ['external-sync endpoints test EMS-Scheduler'],
    exits: ['notFound', 'undelivered'],
  })
}

async function test(name: string, { json }: JsonFlag): Promise<void> {
  await withService(async (service) => {
    const report = await service.testEndpoint(name)
    if (json) printJson(report)
    else printTestReport(name, report, colorsFor(process.stdout))
    if (report.outcome !== 'delivered') process.exitCode = EXIT.undelivered
  })
}

async function withWaiting(service: SyncService, endpoint: ShownEndpoint): Promise<EndpointWithWaiting> {
  const waiting = await service.countEvents({ waitingOn: endpoint.name, status: 'running' })
  return { ...endpoint, waiting }
}
