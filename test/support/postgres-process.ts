import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { runCommand } from '../../src/embedded/run-command.js'

const KEPT_LINES = 20

/**
 * A process that outlives this one: when this one ends, however that comes, its stdin closes; it ends the
 * process that it was told last, and removes the folder. A terminal's signals do not reach it.
 */
const GUARD = `
  while read -r line; do pid=$line; done
  if [ -n "$pid" ]; then
    kill -QUIT "$pid"
    while kill -0 "$pid"; do sleep 0.1; done
  fi
  rm -rf "$1"
`

/** A folder, and the processes in it, that end with this process. */
export interface GuardedFolder {
  readonly path: string
  /** Runs a program as a user that Postgres accepts. Where one runs already, that one is no longer guarded. */
  run(command: string, args: readonly string[], onLine?: (line: string) => void): GuardedProcess
  /** Ends what runs, and removes the folder. */
  remove(): Promise<void>
}

export interface GuardedProcess {
  kill(signal: NodeJS.Signals): void
  /** Resolves with its exit code or signal, and the last lines of its standard error. */
  readonly ended: Promise<{ ending: string; log: string }>
}

export async function openGuardedFolder(prefix: string): Promise<GuardedFolder> {
  const user = await findUser()
  const path = await mkdtemp(join(tmpdir(), prefix))
  if (user !== undefined) await chown(path, user.uid, user.gid)
  const guard = spawn('sh', ['-c', GUARD, 'guard', path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.stdin.on('error', () => undefined) // it was killed: nobody guards, and nothing else is lost
  const guardEnded = once(guard, 'exit')
  return {
    path,
    run: (command, args, onLine) => {
      // Detached: Ctrl-C is for the tests, which end it in order.
      const child = spawn(command, args, {
        ...user,
        cwd: path,
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      if (child.pid !== undefined) guard.stdin.write(`${child.pid}\n`)
      const ended = endOf(child, onLine)
      void ended.then(() => guard.stdin.write('\n'))
      return { ended, kill: (signal) => void child.kill(signal) }
    },
    remove: async () => {
      guard.stdin.end()
      await guardEnded
    },
  }
}

/** Postgres refuses to run as root. */
async function findUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = await runCommand('id', ['-u', name]).catch(() => undefined)
    if (uid !== undefined) return { uid: Number(uid), gid: Number(await runCommand('id', ['-g', name])) }
  }
  throw new Error('Postgres refuses to run as root, and there is no user postgres or nobody to run it as')
}

async function endOf(
  child: ChildProcess,
  onLine?: (line: string) => void,
): Promise<{ ending: string; log: string }> {
  const lines: string[] = []
  if (child.stderr !== null) {
    // Read to its end: a full pipe would block the process.
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (lines.push(line) > KEPT_LINES) lines.shift()
      onLine?.(line)
    })
  }
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    return { ending: signal ?? `code ${code}`, log: lines.join('\n') }
  } catch (error) {
    return { ending: 'an error', log: (error as Error).message }
  }
}
