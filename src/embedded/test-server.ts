import { rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SyncError } from '../domain/errors.js'
import { installIntoCache } from './cached-install.js'
import { assertExecutable, EXECUTABLE_SUFFIX } from './executable.js'
import { mavenInstall } from './maven-install.js'
import { downloadBySdk } from './sdk-download.js'
import { tryWays, type Way } from './ways.js'

/** Of Temporal's Java SDK, whose releases hold the test server. */
const ARTIFACT = {
  groupId: 'io.temporal',
  artifactId: 'temporal-test-server',
  version: '1.38.0',
  mainClass: 'io.temporal.testserver.TestServer',
}
const CACHE_NAME = `temporal-test-server-${ARTIFACT.version}`
const PROGRAM = `temporal-test-server${EXECUTABLE_SUFFIX}`

const HELP =
  "Do one of these: set SYNC_TEST_SERVER_PATH to Temporal's time-skipping test server; " +
  'install Java 17 and Maven, with which it is fetched from Maven Central'

/** Where {@link findTimeSkippingServer} looks. */
export interface FindTimeSkippingServerOptions {
  /** The program that the user wants (`SYNC_TEST_SERVER_PATH`); when given, nothing else is tried. */
  path?: string | undefined
  /** Where a downloaded server is kept, see `defaultCacheDir`. */
  cacheDir: string
  /** Value of the `PATH` variable, on which `java` and `mvn` are looked for. */
  searchPath?: string | undefined
  /** Told which way is tried and how it ended. */
  onProgress?: ((message: string) => void) | undefined
  /** Ends the search; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** A time-skipping test server, and which way it was found. */
export interface FoundTimeSkippingServer {
  /** Absolute path of the program. */
  path: string
  source: 'given path' | 'cache' | 'download' | 'Maven'
}

/**
 * Finds the server for `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type:
 * 'existing-path', path } } })`: the given path, else the cache, the Temporal SDK's download, or Maven Central.
 *
 * @throws SyncError `TEMPORAL_SERVER_NOT_FOUND` when the given path cannot be run, or when no way works; then
 * the message lists every way with its reason and what the user can do
 */
export async function findTimeSkippingServer({
  path,
  cacheDir,
  searchPath,
  onProgress,
  signal,
}: FindTimeSkippingServerOptions): Promise<FoundTimeSkippingServer> {
  if (path !== undefined) {
    await assertExecutable(path).catch((cause: Error) => {
      throw new SyncError(
        'TEMPORAL_SERVER_NOT_FOUND',
        `time-skipping test server: ${cause.message}; SYNC_TEST_SERVER_PATH must be the path of the program, ` +
          'or unset it to let the server be downloaded',
        { cause },
      )
    })
    return { path: resolve(path), source: 'given path' }
  }

  const cached = join(resolve(cacheDir), CACHE_NAME, PROGRAM)
  const check = (directory: string) => assertExecutable(join(directory, PROGRAM))
  const install = async (fill: (directory: string) => Promise<void>) => {
    await installIntoCache(resolve(cacheDir), { name: CACHE_NAME, fill, check })
    return cached
  }

  const ways: Way<FoundTimeSkippingServer['source']>[] = [
    { source: 'cache', find: () => assertExecutable(cached).then(() => cached) },
    {
      source: 'download',
      announcement: `downloading version ${ARTIFACT.version} from temporal.download`,
      find: () =>
        install(async (directory) => {
          const file = await downloadBySdk('createTimeSkipping', `v${ARTIFACT.version}`, directory, signal)
          await rename(file, join(directory, PROGRAM))
        }),
    },
    {
      source: 'Maven',
      announcement: `fetching version ${ARTIFACT.version} with its dependencies (38 MB) by Maven`,
      find: () =>
        install((directory) =>
          mavenInstall({ artifact: ARTIFACT, directory, program: PROGRAM, searchPath, signal }),
        ),
    },
  ]
  return tryWays(ways, { subject: 'time-skipping test server', help: HELP, onProgress, signal })
}
