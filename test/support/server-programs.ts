import { join, resolve } from 'node:path'
import { installIntoCache } from '../../src/embedded/cached-install.js'
import { goInstall } from '../../src/embedded/go-install.js'
import { runCommand } from '../../src/embedded/run-command.js'
import { tryWays } from '../../src/embedded/ways.js'

/** The version of the images in docker-compose.yml. */
const VERSION = '1.32.1'
const MODULE = 'go.temporal.io/server'
/** `go install` names a program after its package: the images call the second one `temporal-sql-tool`. */
const PROGRAMS = { server: `${MODULE}/cmd/server`, sql: `${MODULE}/cmd/tools/sql` }

/** Paths of the programs of a Temporal cluster. */
export interface ServerPrograms {
  server: string
  /** Makes and updates the schemas in Postgres. */
  sqlTool: string
}

/**
 * Finds the Temporal server and its SQL tool in the cache, or builds them into it with Go, which takes about
 * 8 minutes.
 */
export async function findServerPrograms(options: {
  cacheDir: string
  searchPath: string | undefined
  onProgress: (message: string) => void
}): Promise<ServerPrograms> {
  const { searchPath, onProgress } = options
  const cacheDir = resolve(options.cacheDir)
  const name = `temporal-server-${VERSION}`
  const fill = async (directory: string): Promise<void> => {
    for (const path of Object.values(PROGRAMS)) {
      await goInstall({ module: `${path}@v${VERSION}`, directory, searchPath, onProgress })
    }
  }
  const { path } = await tryWays(
    [
      {
        source: 'cache',
        find: async () => {
          await check(join(cacheDir, name))
          return join(cacheDir, name)
        },
      },
      {
        source: 'go install',
        announcement: `building version ${VERSION}, which takes about 8 minutes the first time`,
        find: () => installIntoCache(cacheDir, { name, fill, check }),
      },
    ],
    { subject: 'Temporal server', help: 'Install Go 1.25 or later, with which it is built here', onProgress },
  )
  return { server: join(path, 'server'), sqlTool: join(path, 'sql') }
}

async function check(directory: string): Promise<void> {
  for (const program of Object.keys(PROGRAMS)) await assertVersion(join(directory, program))
}

async function assertVersion(program: string): Promise<void> {
  const output = await runCommand(program, ['--version'])
  if (!output.includes(VERSION)) {
    throw new Error(`${program} --version printed ${JSON.stringify(output)}, expected ${VERSION}`)
  }
}
