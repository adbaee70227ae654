import { SyncError } from '../domain/errors.js'

/** One way of getting a program. */
export interface Way<Source extends string> {
  /** Its name in progress messages and in the error that lists every way. */
  source: Source
  /** Said before a way that takes long; quick ways have none. */
  announcement?: string
  /** Resolves to the path of the program, or rejects with why this way does not have it. */
  find: () => Promise<string>
}

/** What {@link tryWays} needs besides the ways. */
export interface TryWaysOptions {
  /** What is looked for, such as `Temporal CLI`. */
  subject: string
  /** What the user can do when no way works; ends the error message. */
  help: string
  /** Told which way is tried and how it ended. */
  onProgress?: ((message: string) => void) | undefined
  /** Ends the search; rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/**
 * Tries the ways one after the other and resolves to the first program found.
 *
 * @throws SyncError `TEMPORAL_SERVER_NOT_FOUND`, which lists every way with the reason it failed
 */
export async function tryWays<Source extends string>(
  ways: readonly Way<Source>[],
  { subject, help, onProgress, signal }: TryWaysOptions,
): Promise<{ path: string; source: Source }> {
  const failures: string[] = []
  for (const { source, announcement, find } of ways) {
    signal?.throwIfAborted()
    if (announcement !== undefined) onProgress?.(`${subject}: ${announcement}`)
    try {
      const path = await find()
      onProgress?.(`${subject}: ${path} (${source})`)
      return { path, source }
    } catch (error) {
      signal?.throwIfAborted()
      const reason = error instanceof Error ? error.message : String(error)
      failures.push(`  - ${source}: ${reason.replaceAll('\n', '\n    ')}`)
      onProgress?.(`${subject}: not by ${source}: ${reason.split('\n').at(-1)}`)
    }
  }
  throw new SyncError(
    'TEMPORAL_SERVER_NOT_FOUND',
    `${subject}: not found; tried\n${failures.join('\n')}\n${help}`,
  )
}
