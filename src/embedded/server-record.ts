import { readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SyncError } from '../domain/errors.js'

const CONNECT_TIMEOUT_MS = 2_000
const CHECK_EVERY_MS = 50
/** A record is written in place once, when it is claimed: a reader may see it half written. */
const READ_TRIES = 5

/** A Temporal server that runs on a data file. */
export interface RunningServer {
  /** `host:port` of its gRPC service. */
  address: string
  /** Where its web UI is. */
  uiUrl: string
  /** Its process. */
  pid: number
}

/**
 * What stands in `<dataFile>.server.json`. The starting process claims it; from then on the supervisor alone
 * writes it (see supervisor.ts), and removes it after the server has ended:
 *
 *     claim ──▶ starting ──serves──▶ running ──stop or parent gone──▶ stopping ──▶ removed
 */
export interface ServerRecord extends RunningServer {
  state: 'starting' | 'running' | 'stopping'
  /** Unix ms after which a record that still says `starting` or `stopping` is left over from a crash. */
  untilMs: number
}

/**
 * Finds the server that runs on `dataFile`, for other processes to use.
 *
 * @returns undefined when there is none, or one that starts, stops, has died or does not answer
 */
export async function readRunningServer(dataFile: string): Promise<RunningServer | undefined> {
  const record = parse(await readText(recordFileOf(dataFile)))
  if (record?.state !== 'running' || !(await isLive(record))) return undefined
  return { address: record.address, uiUrl: record.uiUrl, pid: record.pid }
}

/** Where the server that runs on `dataFile` is recorded. */
export function recordFileOf(dataFile: string): string {
  return `${dataFile}.server.json`
}

/**
 * Claims `dataFile` for a server that is about to start. Waits for one that is being stopped, and takes over a
 * record whose server is gone.
 *
 * @throws SyncError `TEMPORAL_SERVER_FAILED` when a server runs or starts on the file
 */
export async function claimDataFile(
  dataFile: string,
  record: ServerRecord,
  signal?: AbortSignal,
): Promise<void> {
  const file = recordFileOf(dataFile)
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await writeFile(file, JSON.stringify(record), { flag: 'wx' })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const text = await readText(file)
    const other = parse(text)
    if (other === undefined || !(await isLive(other))) {
      // Someone else may have taken it over meanwhile.
      if ((await readText(file)) === text) await rm(file, { force: true })
    } else if (other.state === 'stopping') {
      await sleep(CHECK_EVERY_MS, undefined, { signal })
    } else {
      throw new SyncError(
        'TEMPORAL_SERVER_FAILED',
        `${dataFile} is in use: the Temporal server at ${other.address} (pid ${other.pid}) ` +
          `${other.state === 'running' ? 'runs' : 'starts'} on it; use that address (TEMPORAL_ADDRESS), ` +
          'stop that server, or use another data file',
      )
    }
  }
}

async function isLive({ address, pid, state, untilMs }: ServerRecord): Promise<boolean> {
  if (!isAlive(pid)) return false
  return state === 'running' ? answers(address) : Date.now() < untilMs
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Resolves to whether something accepts TCP connections at `host:port`. */
export function answers(address: string): Promise<boolean> {
  const [host, port] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect({ host: host ?? '', port: Number(port), timeout: CONNECT_TIMEOUT_MS })
    const end = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket
      .on('connect', () => end(true))
      .on('error', () => end(false))
      .on('timeout', () => end(false))
  })
}

async function readText(file: string): Promise<string | undefined> {
  let text: string | undefined
  for (let tries = 0; tries < READ_TRIES; tries += 1) {
    text = await readFile(file, 'utf8').catch(() => undefined)
    if (text === undefined || parse(text) !== undefined) break
    await sleep(CHECK_EVERY_MS)
  }
  return text
}

function parse(text: string | undefined): ServerRecord | undefined {
  try {
    const { address, uiUrl, pid, state, untilMs } = JSON.parse(text ?? '') as Partial<ServerRecord>
    if (typeof address !== 'string' || typeof uiUrl !== 'string' || typeof pid !== 'number') return undefined
    if (state === undefined || untilMs === undefined) return undefined
    return { address, uiUrl, pid, state, untilMs }
  } catch {
    return undefined
  }
}
