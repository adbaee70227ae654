import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runCommand } from '../../src/embedded/run-command.js'
import { connectClient } from '../../src/temporal/connect.js'
import { setUpNamespace } from '../../src/temporal/setup-namespace.js'
import { freeLowPorts } from './free-port.js'
import { openGuardedFolder } from './guarded-folder.js'
import type { ServerPrograms } from './server-programs.js'

const SERVING_WITHIN_MS = 120_000
const TRY_EVERY_MS = 250

/** Each of a server's services has a port for calls and one for finding the others. */
const PORT_VARIABLES = ['FRONTEND', 'HISTORY', 'MATCHING', 'WORKER'].flatMap((service) => [
  `${service}_GRPC_PORT`,
  `${service}_MEMBERSHIP_PORT`,
])

/** What docker-compose.yml sets too. */
const DYNAMIC_CONFIG = `
limit.maxIDLength:
  - value: 255
frontend.enableServerVersionCheck:
  - value: false
`

/** A Temporal server on Postgres, as in production, on free ports of loopback. It ends with this process. */
export interface TemporalCluster extends AsyncDisposable {
  /** `host:port` of its frontend. */
  readonly address: string
}

/** How {@link startTemporalCluster} starts. */
export interface TemporalClusterOptions {
  programs: ServerPrograms
  /** The administrator's URL of the Postgres that gets the two databases. */
  postgresUrl: string
}

/** Makes the schemas, starts the server, and makes the namespace `default` with the search attributes. */
export async function startTemporalCluster(options: TemporalClusterOptions): Promise<TemporalCluster> {
  await makeSchema(options, 'temporal', 'temporal')
  await makeSchema(options, 'temporal_visibility', 'visibility')
  const server = await startServer(options)
  try {
    await makeNamespace(server)
    return { address: server.address, [Symbol.asyncDispose]: server.stop }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** https://docs.temporal.io/self-hosted-guide/upgrade-server */
async function makeSchema(
  { programs, postgresUrl }: TemporalClusterOptions,
  database: string,
  schema: string,
): Promise<void> {
  const { hostname, port, username, password } = new URL(postgresUrl)
  const env = {
    SQL_PLUGIN: 'postgres12',
    SQL_HOST: hostname,
    SQL_PORT: port,
    SQL_USER: username,
    SQL_PASSWORD: password,
    SQL_DATABASE: database,
  }
  const steps = [
    ['create'],
    ['setup-schema', '-v', '0.0'],
    ['update-schema', '--schema-name', `postgresql/v12/${schema}`],
  ]
  for (const args of steps) await runCommand(programs.sqlTool, args, { env })
}

interface RunningServer {
  address: string
  /** Aborted with the reason when it ends by itself. */
  gone: AbortSignal
  stop: () => Promise<void>
}

async function startServer({ programs, postgresUrl }: TemporalClusterOptions): Promise<RunningServer> {
  const { hostname, port, username, password } = new URL(postgresUrl)
  const ports = await freeLowPorts(PORT_VARIABLES.length + 1)
  const folder = await openGuardedFolder('external-sync-temporal-')
  const dynamicConfig = join(folder.path, 'dynamic-config.yaml')
  await writeFile(dynamicConfig, DYNAMIC_CONFIG)

  const server = folder.run(programs.server, ['--allow-no-auth', 'start'], {
    env: {
      ...Object.fromEntries(PORT_VARIABLES.map((name, index) => [name, String(ports[index])])),
      FRONTEND_HTTP_PORT: String(ports.at(-1)),
      BIND_ON_IP: '127.0.0.1',
      DB: 'postgres12',
      POSTGRES_SEEDS: hostname,
      DB_PORT: port,
      POSTGRES_USER: username,
      POSTGRES_PWD: password,
      NUM_HISTORY_SHARDS: '4',
      DYNAMIC_CONFIG_FILE_PATH: dynamicConfig,
      LOG_LEVEL: 'warn',
    },
  })
  const gone = new AbortController()
  void server.ended.then(({ ending, log }) =>
    gone.abort(new Error(`the Temporal server ended with ${ending}:\n${log}`)),
  )
  return {
    address: `127.0.0.1:${ports[0]}`,
    gone: gone.signal,
    stop: async () => {
      server.kill('SIGTERM')
      await server.ended
      await folder.remove()
    },
  }
}

/** As `external-sync setup` does. The services of a server find each other after its start. */
async function makeNamespace({ address, gone }: RunningServer): Promise<void> {
  const deadline = AbortSignal.timeout(SERVING_WITHIN_MS)
  const connection = await connectClient({ address }, SERVING_WITHIN_MS)
  try {
    for (;;) {
      try {
        return await setUpNamespace(connection, { namespace: 'default', address }, () => undefined)
      } catch (error) {
        if (gone.aborted || deadline.aborted)
          throw new Error(String(gone.reason ?? deadline.reason), { cause: error })
        await sleep(TRY_EVERY_MS)
      }
    }
  } finally {
    await connection.close()
  }
}
