import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

/** What the platform appends to the name of a program. */
export const EXECUTABLE_SUFFIX = process.platform === 'win32' ? '.exe' : ''

/**
 * Checks that `path` is a file that may be executed.
 *
 * @throws an error that says which of the two it is not
 */
export async function assertExecutable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new Error(`${path} does not exist`)
  if (!found.isFile()) throw new Error(`${path} is not a file`)
  try {
    await access(path, constants.X_OK)
  } catch (cause) {
    throw new Error(`${path} is not executable`, { cause })
  }
}

/**
 * Finds a program in the directories of `searchPath`, the value of a `PATH` variable. Relative entries are
 * skipped: they name another program in every working directory.
 *
 * @throws an error when no directory has it
 */
export async function findOnPath(name: string, searchPath: string | undefined): Promise<string> {
  for (const directory of (searchPath ?? '').split(delimiter).filter((entry) => isAbsolute(entry))) {
    const candidate = join(directory, name + EXECUTABLE_SUFFIX)
    const missing = await assertExecutable(candidate).catch((error: Error) => error)
    if (missing === undefined) return candidate
  }
  throw new Error(`no ${name} on PATH`)
}
