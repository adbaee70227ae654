import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** An interrupted install leaves its directory behind; one this old belongs to nobody. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000

/** How {@link installIntoCache} fills and checks a directory. */
export interface CacheEntry {
  /** Name of the directory inside the cache. */
  name: string
  /** Writes the program into `directory`. */
  fill: (directory: string) => Promise<void>
  /** Rejects when the program in `directory` does not work. */
  check: (directory: string) => Promise<void>
}

/**
 * Installs into `cacheDir/name` as a whole or not at all: a directory beside it is filled, checked and then
 * renamed. Of two processes that install the same, the first one's result stays; one that does not work goes.
 *
 * @returns the path of the installed directory
 * @throws what `fill` and `check` throw, with nothing left behind
 */
export async function installIntoCache(cacheDir: string, { name, fill, check }: CacheEntry): Promise<string> {
  await mkdir(cacheDir, { recursive: true })
  const prefix = `.installing-${name}-`
  await removeAbandoned(cacheDir, prefix)

  const target = join(cacheDir, name)
  const directory = await mkdtemp(join(cacheDir, prefix))
  try {
    await fill(directory)
    await check(directory)
    await rename(directory, target).catch(async (error: unknown) => {
      if (!isTaken(error)) throw error
      const broken = await check(target).catch((reason: Error) => reason)
      if (broken === undefined) return
      await rm(target, { recursive: true, force: true })
      await rename(directory, target)
    })
    return target
  } finally {
    // Retries: the children of a build that was killed may still be writing.
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function removeAbandoned(cacheDir: string, prefix: string): Promise<void> {
  for (const entry of await readdir(cacheDir)) {
    if (!entry.startsWith(prefix)) continue
    const path = join(cacheDir, entry)
    const modifiedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now()
    if (Date.now() - modifiedMs > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true })
  }
}

/** POSIX reports a rename onto a directory with files as either code, Windows as `EPERM`. */
function isTaken(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(String(error.code))
  )
}
