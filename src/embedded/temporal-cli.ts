import { rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SyncError } from '../domain/errors.js'
import { installIntoCache } from './cached-install.js'
import { assertExecutable, EXECUTABLE_SUFFIX, findOnPath } from './executable.js'
import { goInstall } from './go-install.js'
import { runCommand } from './run-command.js'
import { downloadBySdk } from './sdk-download.js'
import { tryWays, type Way } from './ways.js'

/** Server 1.29.1, UI 2.42.1; the last version whose go.mod `go install` accepts: later ones have a `replace`. */
const CLI_VERSION = '1.5.1'
const CACHE_NAME = `temporal-cli-${CLI_VERSION}`
const GO_MODULE = `github.com/temporalio/cli/cmd/temporal@v${CLI_VERSION}`
const PROGRAM = `temporal${EXECUTABLE_SUFFIX}`
const VERSION_TIMEOUT_MS = 10_000

const HELP =
  'Do one of these: set TEMPORAL_ADDRESS to a Temporal server that runs; ' +
  'install the Temporal CLI (https://docs.temporal.io/cli) or set SYNC_TEMPORAL_PATH to it; ' +
  'install Go 1.25 or later, with which it is built here'

/** Where {@link findTemporalCli} looks. */
export interface FindTemporalCliOptions {
  /** The program that the user wants (`SYNC_TEMPORAL_PATH`); when given, nothing else is tried. */
  path?: string | undefined
  /** Where a downloaded or built CLI is kept, see `defaultCacheDir`. */
  cacheDir: string
  /** Value of the `PATH` variable; without it neither `temporal` nor `go` is found there. */
  searchPath?: string | undefined
  /** Told which way is tried, how it ended, and how far a slow one is. */
  onProgress?: ((message: string) => void) | undefined
  /** Ends the search; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** A Temporal CLI, and which way it was found. */
export interface FoundTemporalCli {
  /** Absolute path of the program. */
  path: string
  source: 'given path' | 'PATH' | 'cache' | 'download' | 'go install'
}

/**
 * Finds the Temporal CLI, which holds the dev server and its web UI: the given path, else `temporal` on PATH,
 * the cache, the Temporal SDK's download, or `go install` (minutes). The last two fill the cache.
 *
 * @throws SyncError `TEMPORAL_SERVER_NOT_FOUND` when the given path is not the CLI, or when no way works; then
 * the message lists every way with its reason and what the user can do
 */
export async function findTemporalCli({
  path,
  cacheDir,
  searchPath,
  onProgress,
  signal,
}: FindTemporalCliOptions): Promise<FoundTemporalCli> {
  if (path !== undefined) {
    await assertTemporalCli(path, signal).catch((cause: Error) => {
      signal?.throwIfAborted()
      throw new SyncError(
        'TEMPORAL_SERVER_NOT_FOUND',
        `Temporal CLI: ${cause.message}; SYNC_TEMPORAL_PATH must be the path of the temporal program, ` +
          'or unset it to let the CLI be looked for, downloaded or built',
        { cause },
      )
    })
    return { path: resolve(path), source: 'given path' }
  }

  const checked = async (program: string) => {
    await assertTemporalCli(program, signal)
    return program
  }
  const install = async (fill: (directory: string) => Promise<void>) => {
    const check = (directory: string) => assertTemporalCli(join(directory, PROGRAM), signal)
    return join(await installIntoCache(resolve(cacheDir), { name: CACHE_NAME, fill, check }), PROGRAM)
  }

  const ways: Way<FoundTemporalCli['source']>[] = [
    { source: 'PATH', find: async () => checked(await findOnPath('temporal', searchPath)) },
    { source: 'cache', find: () => checked(join(resolve(cacheDir), CACHE_NAME, PROGRAM)) },
    {
      source: 'download',
      announcement: `downloading version ${CLI_VERSION} from temporal.download`,
      find: () =>
        install(async (directory) => {
          const file = await downloadBySdk('createLocal', `v${CLI_VERSION}`, directory, signal)
          await rename(file, join(directory, PROGRAM))
        }),
    },
    {
      source: 'go install',
      announcement: `building version ${CLI_VERSION} with go install, which takes about 4 minutes the first time`,
      find: () =>
        install((directory) => goInstall({ module: GO_MODULE, directory, searchPath, onProgress, signal })),
    },
  ]
  return tryWays(ways, { subject: 'Temporal CLI', help: HELP, onProgress, signal })
}

/** Another program may be called `temporal`, and a binary may be one of another platform. */
async function assertTemporalCli(path: string, signal?: AbortSignal): Promise<void> {
  await assertExecutable(path)
  const timeout = AbortSignal.timeout(VERSION_TIMEOUT_MS)
  const version = await runCommand(path, ['--version'], {
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  })
  if (!/temporal version/i.test(version)) {
    throw new Error(`${path} --version printed ${JSON.stringify(version)}, expected "temporal version …"`)
  }
}
