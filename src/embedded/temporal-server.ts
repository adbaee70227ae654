import { mkdir, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SyncError } from '../domain/errors.js'
import { SEARCH_ATTRIBUTES } from '../domain/search-attributes.js'
import { choosePort } from './ports.js'
import { spawnServer, type ServerExit, type ServerProcess } from './server-process.js'
import { waitUntilServing } from './server-ready.js'
import { claimDataFile, recordFileOf } from './server-record.js'

export { readRunningServer } from './server-record.js'

const IP = '127.0.0.1'
const NAMESPACE = 'default'
const PREFERRED_PORT = 7233
const PREFERRED_UI_PORT = 8233
const KILL_AFTER_MS = 10_000
const SHOWN_LOG_LINES = 15
/** What the server prints, long before the end of its log. */
const PORT_TAKEN = 'address already in use'
/** A free port may be taken by another process between its choice and its use. */
const START_TRIES = 3
/** How long a server that serves may take to say that it listens; some version may word it differently. */
const LISTENING_GRACE_MS = 2_000

/** How {@link startTemporalServer} starts the dev server. */
export interface TemporalServerOptions {
  /** The Temporal CLI, see `findTemporalCli`. */
  cliPath: string
  /** SQLite file that holds everything; its folder is made where it is missing. @default in memory */
  dataFile?: string | undefined
  /** gRPC port; `0` is any free one. @default 7233, or any free one when that is taken */
  port?: number | undefined
  /** Port of the web UI; `0` is any free one. @default 8233, or any free one when that is taken */
  uiPort?: number | undefined
  /** Port of its Prometheus metrics, on `/metrics`. @default any free one */
  metricsPort?: number | undefined
  /** Gets the server's output appended. @default the output is kept for error messages only */
  logFile?: string | undefined
  /** @default 'warn' */
  logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'never' | undefined
  /**
   * How long closed workflows are kept, in days, and with them the ids that make a second emit harmless.
   * @default 30
   */
  namespaceRetentionDays?: number | undefined
  /** Ends the start; the promise rejects with the signal's reason. A server that runs is not affected. */
  signal?: AbortSignal | undefined
  /** How long the server may take until it serves, in milliseconds. @default 60000 */
  readyTimeoutMs?: number | undefined
}

/** A Temporal dev server that this process runs. It ends with the process, and does not keep it alive. */
export interface TemporalServer {
  /** `host:port` of its gRPC service. */
  readonly address: string
  readonly namespace: 'default'
  /** Where its web UI is. */
  readonly uiUrl: string
  /** Its process. */
  readonly pid: number
  /** Stops it and resolves when its process has ended, after at most 10 s; may be called again. */
  stop(): Promise<void>
  /** Resolves when its process has ended, whatever the reason. */
  readonly exited: Promise<ServerExit>
}

/**
 * Starts the Temporal dev server and waits until it serves: the namespace with its retention and the search
 * attributes are there.
 *
 * @throws SyncError `TEMPORAL_SERVER_FAILED` when a requested port or the data file is in use, or when the
 * server ends or does not serve in time; then the message has its last log lines
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  for (let tries = 1; ; tries += 1) {
    const [port, uiPort] = await choosePorts(options, tries > 1)
    try {
      return await startOn(port, uiPort, options)
    } catch (error) {
      const portTaken = error instanceof SyncError && error.message.includes(PORT_TAKEN)
      if (!portTaken || tries === START_TRIES) throw error
    }
  }
}

async function choosePorts(
  { port, uiPort }: TemporalServerOptions,
  avoidPreferred: boolean,
): Promise<[port: number, uiPort: number]> {
  const chosen = await choosePort(IP, {
    purpose: 'the Temporal server',
    requested: port,
    preferred: avoidPreferred ? 0 : PREFERRED_PORT,
  })
  const ui = await choosePort(IP, {
    purpose: "the Temporal server's web UI",
    requested: uiPort,
    preferred: avoidPreferred ? 0 : PREFERRED_UI_PORT,
  })
  return [chosen, ui]
}

async function startOn(
  port: number,
  uiPort: number,
  options: TemporalServerOptions,
): Promise<TemporalServer> {
  const { cliPath, namespaceRetentionDays = 30, readyTimeoutMs = 60_000, signal } = options
  signal?.throwIfAborted()
  const address = `${IP}:${port}`
  const uiUrl = `http://${IP}:${uiPort}`
  const dataFile = options.dataFile === undefined ? undefined : resolve(options.dataFile)
  const logFile = options.logFile === undefined ? undefined : resolve(options.logFile)
  if (logFile !== undefined) await mkdir(dirname(logFile), { recursive: true })

  const record = {
    state: 'starting' as const,
    address,
    uiUrl,
    pid: process.pid,
    untilMs: Date.now() + readyTimeoutMs + KILL_AFTER_MS,
  }
  if (dataFile !== undefined) {
    await mkdir(dirname(dataFile), { recursive: true, mode: 0o700 })
    await claimDataFile(dataFile, record, signal)
  }

  const server = await spawnServer({
    command: cliPath,
    args: serverArguments(port, uiPort, dataFile, options),
    logFile,
    record: dataFile === undefined ? undefined : { ...record, file: recordFileOf(dataFile) },
    killAfterMs: KILL_AFTER_MS,
  }).catch(async (cause: Error) => {
    if (dataFile !== undefined) await rm(recordFileOf(dataFile), { force: true })
    throw new SyncError('TEMPORAL_SERVER_FAILED', `Temporal server: ${cause.message}`, { cause })
  })
  const { pid, exited, stop } = server
  try {
    await waitUntilReady(server, { address, namespaceRetentionDays, readyTimeoutMs, signal })
  } catch (error) {
    await stop()
    signal?.throwIfAborted()
    const { log } = await exited
    const lines = log.trim().split('\n').slice(-SHOWN_LOG_LINES).join('\n') || '(it printed nothing)'
    throw new SyncError(
      'TEMPORAL_SERVER_FAILED',
      `Temporal server ${cliPath} on ${address} (data file: ${dataFile ?? 'none, in memory'}) ` +
        `${(error as Error).message}${log.includes(PORT_TAKEN) ? ` (${PORT_TAKEN})` : ''}; its last log lines:\n${lines}`,
      { cause: error },
    )
  }
  await server.serves()
  return { address, namespace: NAMESPACE, uiUrl, pid, stop, exited }
}

function serverArguments(
  port: number,
  uiPort: number,
  dataFile: string | undefined,
  { logLevel = 'warn', metricsPort }: TemporalServerOptions,
): string[] {
  // WAL doubles the throughput; FULL keeps what was accepted through a power loss.
  const pragmas = ['--sqlite-pragma=journal_mode=WAL', '--sqlite-pragma=synchronous=FULL']
  return [
    'server',
    'start-dev',
    `--ip=${IP}`,
    `--port=${port}`,
    `--ui-port=${uiPort}`,
    `--log-level=${logLevel}`,
    ...(metricsPort === undefined ? [] : [`--metrics-port=${metricsPort}`]),
    // It asks Temporal's makers over the network.
    '--dynamic-config-value=frontend.enableServerVersionCheck=false',
    // Of four, the default, each poll goes to one: a task that found none waiting may lie in another for 10 s and more.
    '--dynamic-config-value=matching.numTaskqueueReadPartitions=1',
    '--dynamic-config-value=matching.numTaskqueueWritePartitions=1',
    // True, the default here, reads metadata from the file twelve times for a released delivery. The search attributes
    // below are known at the start all the same.
    '--dynamic-config-value=system.forceSearchAttributesCacheRefreshOnRead=false',
    ...(dataFile === undefined ? [] : [`--db-filename=${dataFile}`, ...pragmas]),
    ...Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => `--search-attribute=${name}=${type}`),
  ]
}

/** @throws an error whose message goes on after the name of the server */
async function waitUntilReady(
  server: ServerProcess,
  limits: {
    address: string
    namespaceRetentionDays: number
    readyTimeoutMs: number
    signal: AbortSignal | undefined
  },
): Promise<void> {
  const gone = new AbortController()
  void server.exited.then(({ code, signal }) =>
    gone.abort(new Error(`ended with ${signal ?? `code ${code}`}`)),
  )
  const timeout = AbortSignal.timeout(limits.readyTimeoutMs)
  const ends = [gone.signal, timeout, ...(limits.signal === undefined ? [] : [limits.signal])]
  try {
    await waitUntilServing(
      { address: limits.address, namespace: NAMESPACE, retentionDays: limits.namespaceRetentionDays },
      AbortSignal.any(ends),
    )
    // Whoever serves at the address may be another server that took the port a moment ago.
    await Promise.race([
      server.listening,
      sleep(LISTENING_GRACE_MS, undefined, { ref: false }),
      server.exited,
    ])
  } catch (error) {
    if (timeout.aborted && !gone.signal.aborted) {
      throw new Error(`did not serve within ${limits.readyTimeoutMs} ms: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
  if (gone.signal.aborted) throw new Error(`${gone.signal.reason.message} before it served`)
  limits.signal?.throwIfAborted()
}
