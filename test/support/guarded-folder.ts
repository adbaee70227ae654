import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const KEPT_LINES = 20
/** A server's log line may hold the stack of every caller. */
const KEPT_CHARACTERS = 500

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
  /** Runs a program in it. Where one runs already, that one is no longer guarded. */
  run(command: string, args: readonly string[], options?: RunOptions): GuardedProcess
  /** Ends what runs, and removes the folder. */
  remove(): Promise<void>
}

/** Who owns a folder and runs what is in it. */
export interface User {
  uid: number
  gid: number
}

interface RunOptions {
  /** Variables set on top of this process's own. */
  env?: Record<string, string>
  /** Called with every line that it prints, on either stream. */
  onLine?: (line: string) => void
}

export interface GuardedProcess {
  kill(signal: NodeJS.Signals): void
  /** Resolves with its exit code or signal, and the last lines that it printed. */
  readonly ended: Promise<{ ending: string; log: string }>
}

/** @param user who owns it; @default the user of this process */
export async function openGuardedFolder(prefix: string, user?: User): Promise<GuardedFolder> {
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
    run: (command, args, { env, onLine } = {}) => {
      // Detached: Ctrl-C is for the tests, which end it in order.
      const child = spawn(command, args, {
        ...user,
        cwd: path,
        env: { ...process.env, ...env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
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

async function endOf(
  child: ChildProcess,
  onLine?: (line: string) => void,
): Promise<{ ending: string; log: string }> {
  const lines: string[] = []
  // Read to their ends: a full pipe would block the process.
  for (const input of [child.stdout, child.stderr].filter((stream) => stream !== null)) {
    createInterface({ input }).on('line', (line) => {
      if (lines.push(line.slice(0, KEPT_CHARACTERS)) > KEPT_LINES) lines.shift()
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
