import { randomBytes } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../src/embedded/run-command.js'
import { freePort } from './free-port.js'
import { openGuardedFolder, type GuardedFolder, type GuardedProcess, type User } from './guarded-folder.js'
import { findPostgres, type PostgresSource } from './postgres-binaries.js'
import { createDatabase } from './postgres-database.js'

const READY = 'database system is ready to accept connections'
const PORT_TAKEN = 'Address already in use'
/** A free port may be taken by another process between its choice and its use. */
const START_TRIES = 3
/** https://www.postgresql.org/docs/current/server-shutdown.html */
const STOP_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const

/** A Postgres of the tests, on loopback alone. It ends with this process. */
export interface Postgres extends AsyncDisposable {
  /** The URL of a database, with the administrator's password. @default the database `postgres` */
  url(database?: string): string
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>
  /**
   * Ends the server; what was committed stays. `fast` closes the connections in order, `immediate` is a crash.
   * @default 'fast'
   */
  stop(mode?: keyof typeof STOP_SIGNALS): Promise<void>
  /** Starts it again after a stop, on the same port with the same data. */
  start(): Promise<void>
}

/**
 * Makes a Postgres in a folder of its own and starts it on a free port.
 *
 * @param options.source where it comes from; otherwise the machine's own is preferred to the npm package
 * @throws an error with its last lines when it does not start
 */
export async function startPostgres(options: { source?: PostgresSource } = {}): Promise<Postgres> {
  const folder = await openGuardedFolder('external-sync-postgres-', await findUser())
  const password = randomBytes(16).toString('hex')
  let port = 0
  let server: GuardedProcess | undefined

  const stop = async (mode: keyof typeof STOP_SIGNALS = 'fast'): Promise<void> => {
    server?.kill(STOP_SIGNALS[mode])
    await server?.ended
    server = undefined
  }
  const dispose = async (): Promise<void> => {
    await stop('immediate')
    await folder.remove()
  }
  const url = (database = 'postgres'): string =>
    `postgres://postgres:${password}@127.0.0.1:${port}/${database}`

  try {
    const binaries = await findPostgres(folder.path, options.source)
    await initialise(folder, binaries, password)
    const start = async (): Promise<void> => {
      server ??= await startServer(folder, binaries, port)
    }
    for (let tries = START_TRIES; tries > 0; tries -= 1) {
      port = await freePort()
      const failure = await start().catch((error: Error) => error)
      if (failure === undefined) break
      if (!failure.message.includes(PORT_TAKEN) || tries === 1) throw failure
    }
    return { url, createDatabase: () => createDatabase(url()), stop, start, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** Postgres refuses to run as root. */
async function findUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = await runCommand('id', ['-u', name]).catch(() => undefined)
    if (uid !== undefined) return { uid: Number(uid), gid: Number(await runCommand('id', ['-g', name])) }
  }
  throw new Error('Postgres refuses to run as root, and there is no user postgres or nobody to run it as')
}

async function initialise(folder: GuardedFolder, binaries: string, password: string): Promise<void> {
  const passwordFile = join(folder.path, 'password')
  await writeFile(passwordFile, password)
  // The folder is closed to others; the user that Postgres runs as must read the file.
  await chmod(passwordFile, 0o644)
  const { ending, log } = await folder.run(join(binaries, 'initdb'), [
    `--pgdata=${join(folder.path, 'data')}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ]).ended
  if (ending !== 'code 0') throw new Error(`initdb ended with ${ending}:\n${log}`)
}

async function startServer(folder: GuardedFolder, binaries: string, port: number): Promise<GuardedProcess> {
  return new Promise((resolve, reject) => {
    const args = ['-D', join(folder.path, 'data'), ...settings(port)]
    const server = folder.run(join(binaries, 'postgres'), args, {
      onLine: (line) => {
        if (line.includes(READY)) resolve(server)
      },
    })
    void server.ended.then(({ ending, log }) =>
      reject(new Error(`Postgres ended with ${ending} before it was ready:\n${log}`)),
    )
  })
}

function settings(port: number): string[] {
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    // The kernel keeps what a process wrote when that process is killed: only a power failure could lose it.
    fsync: 'off',
    // A container may have next to no /dev/shm.
    dynamic_shared_memory_type: 'mmap',
    // It is read here.
    lc_messages: 'C',
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
