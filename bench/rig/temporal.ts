import { join } from 'node:path'
import { loadConfig } from '../../dist/config.js'
import { choosePort } from '../../dist/embedded/ports.js'
import { findTemporalCli } from '../../dist/embedded/temporal-cli.js'
import { startTemporalServer } from '../../dist/embedded/temporal-server.js'

/** Which Temporal server a trial uses. */
export interface TemporalChoice {
  /** `host:port` of a server that runs already. @default an own dev server */
  address?: string | undefined
  /** Whether an own one keeps everything in memory. @default false: on a file, durable against power loss */
  inMemory?: boolean | undefined
}

/** The server of a trial. */
export interface Temporal extends AsyncDisposable {
  readonly address: string
  readonly namespace: string
  /** Undefined where it is not ours. */
  readonly pid: number | undefined
  /** Calls that its frontend has taken for the namespace so far; undefined where it is not ours. */
  countCalls(): Promise<number | undefined>
}

/** Starts a dev server on a new file in `folder`, as the embedded mode does, or uses the given server. */
export async function openTemporal(choice: TemporalChoice, folder: string): Promise<Temporal> {
  const { address, inMemory = false } = choice
  if (address !== undefined) {
    return {
      address,
      namespace: 'default',
      pid: undefined,
      countCalls: () => Promise.resolve(undefined),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
  const metricsPort = await choosePort('127.0.0.1', { purpose: 'metrics', requested: 0, preferred: 0 })
  const server = await startTemporalServer({
    cliPath: await temporalCliPath(),
    dataFile: inMemory ? undefined : join(folder, 'temporal.db'),
    logFile: join(folder, 'temporal.log'),
    port: 0,
    uiPort: 0,
    metricsPort,
  })
  return {
    address: server.address,
    namespace: server.namespace,
    pid: server.pid,
    countCalls: () => countFrontendCalls(metricsPort, server.namespace),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

let cliPath: Promise<string> | undefined

/** The Temporal CLI by the environment's configuration; looked for once. */
export function temporalCliPath(): Promise<string> {
  cliPath ??= findCli()
  return cliPath
}

async function findCli(): Promise<string> {
  const { temporalPath, cacheDir, searchPath } = loadConfig(process.env)
  return (await findTemporalCli({ path: temporalPath, cacheDir, searchPath, onProgress: tell })).path
}

function tell(message: string): void {
  process.stderr.write(`${message}\n`)
}

/** Sums the counter `service_requests` over the frontend's operations. */
async function countFrontendCalls(metricsPort: number, namespace: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`)
  const lines = (await response.text()).split('\n')
  return lines
    .filter(
      (line) =>
        line.startsWith('service_requests{') &&
        line.includes('service_name="frontend"') &&
        line.includes(`namespace="${namespace}"`),
    )
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
