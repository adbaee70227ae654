/**
 * Records a history of each path through the workflow into test/histories, which the replay test runs
 * against the present code: `npm run build && npx tsx scripts/record-histories.ts [name…]`, in seconds.
 *
 * A new path needs a new scenario. What a release has recorded is never recorded anew, as deliveries that
 * older code has started may wait for months: the path as it then is gets another name. `together-NAME` is the
 * path NAME since the first attempts of an event are made together.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { History } from '@temporalio/common/lib/proto-utils.js'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { Runtime } from '@temporalio/worker'
import { format } from 'prettier'
import { loadConfig } from '../src/config.js'
import { SEARCH_ATTRIBUTES } from '../src/domain/search-attributes.js'
import { findTemporalCli } from '../src/embedded/temporal-cli.js'
import { createLogger } from '../src/logger.js'
import { temporalLogger } from '../src/temporal-logger.js'
import { SyncTestEnvironment } from '../src/testing/index.js'
import { SYNC_EVENT_WORKFLOW } from '../src/workflows/messages.js'
import { historyToJson } from '../test/support/history-json.js'
import { scenarios, type OpenStage, type Stage } from './history-scenarios.js'

const FOLDER = fileURLToPath(new URL('../test/histories/', import.meta.url))
const EVENT_TYPE = 'policy.approved'
/** A workflow of a dozen deliveries continues as new. */
const SUGGEST_CONTINUE_AS_NEW_EVENTS = 40
/** The process and the machine, as a worker is identified and its own queue is named. */
const WORKER_IDENTITY = /^\d+@/

Runtime.install({ logger: temporalLogger(createLogger('error')), shutdownSignals: [] })

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(scenarios)
const server = await startServer()
try {
  await mkdir(FOLDER, { recursive: true })
  for (const name of names) await record(name)
} finally {
  await server.teardown()
}

async function record(name: string): Promise<void> {
  const play = scenarios[name.replace(/^together-/, '')]
  if (play === undefined) {
    throw new Error(`no scenario "${name}"; there are ${Object.keys(scenarios).join(', ')}`)
  }
  const opened: SyncTestEnvironment[] = []
  const open: OpenStage = async (time) => {
    const environment = await (time === 'simulated'
      ? SyncTestEnvironment.createTimeSkipping()
      : SyncTestEnvironment.createFromExistingServer(server.address, { grouping: 'auto' }))
    opened.push(environment)
    return createStage(environment, name)
  }
  try {
    const history = await play(open)
    await writeFile(`${FOLDER}${name}.json`, await toJson(history))
    process.stdout.write(`${name}: ${history.events?.length} events\n`)
  } finally {
    for (const environment of opened) await environment.close()
  }
}

function createStage(environment: SyncTestEnvironment, eventId: string): Stage {
  const { syncService, taskQueue, temporal } = environment
  const { client } = temporal
  const history: Stage['history'] = ({ workflowId, runId }) =>
    client.workflow.getHandle(workflowId, runId).fetchHistory()
  return {
    client,
    syncService,
    register: async (endpoint, ...responses) => {
      const receiver = await environment.startReceiver(...responses)
      await syncService.registerEndpoint(endpoint, { url: receiver.url })
      return receiver
    },
    emit: () => syncService.emit(EVENT_TYPE, { id: 'SAFETY-7', content: '…' }, { id: eventId }),
    emitGroup: async () => {
      const event = { type: EVENT_TYPE, data: { id: 'SAFETY-7', content: '…' } }
      const [receipt] = await syncService.emitMany(
        [eventId, `${eventId}-2`, `${eventId}-3`].map((id) => ({ ...event, id })),
      )
      return { group: receipt!, own: { workflowId: `${EVENT_TYPE}/${eventId}` } }
    },
    deliveries: async ({ workflowId }) =>
      (await syncService.deliveries(EVENT_TYPE, workflowId.slice(EVENT_TYPE.length + 1))).deliveries,
    startWith: async (input) => {
      const workflowId = `${EVENT_TYPE}/${eventId}`
      await client.workflow.start(SYNC_EVENT_WORKFLOW, { workflowId, taskQueue, args: [input] })
      return { workflowId }
    },
    finished: async (event) => {
      await client.workflow.getHandle(event.workflowId).result()
      return history(event)
    },
    history,
  }
}

/** A server of the recorder's own; it never sees an event's id twice. */
async function startServer(): Promise<TestWorkflowEnvironment> {
  const { temporalPath, cacheDir, searchPath } = loadConfig(process.env)
  const { path } = await findTemporalCli({ path: temporalPath, cacheDir, searchPath })
  const setting = `limit.historyCount.suggestContinueAsNew=${SUGGEST_CONTINUE_AS_NEW_EVENTS}`
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      extraArgs: [
        ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => [
          '--search-attribute',
          `${name}=${type}`,
        ]),
        '--dynamic-config-value',
        setting,
      ],
    },
  })
}

/** As Temporal's tools write it, without the name of the machine and the paths of its files. */
function toJson(history: History): Promise<string> {
  const text = JSON.stringify(historyToJson(history), (key, value: unknown) => {
    if (typeof value !== 'string') return value
    if (key === 'identity' || WORKER_IDENTITY.test(value)) return 'recorder'
    return key === 'stackTrace' ? value.replaceAll(`${process.cwd()}/`, '') : value
  })
  return format(text, { parser: 'json', printWidth: 110 })
}
