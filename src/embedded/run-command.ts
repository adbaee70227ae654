import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const KEPT_LINES = 30

/** How {@link runCommand} runs its command. */
export interface RunCommandOptions {
  /** Working directory. @default the process's own */
  cwd?: string
  /** Variables set on top of the environment that the command inherits. */
  env?: Record<string, string>
  /** What the command is called in an error message. @default the command line */
  title?: string
  /** Called with every line that the command prints, on either stream. */
  onLine?: (line: string) => void
  /** Kills the command; the returned promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/**
 * Runs a command without a shell and resolves to the last lines it printed.
 *
 * @throws an error with the command and its last lines when it cannot be run or exits with another code
 * than 0; the reason of `signal` when that ended it.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env, title = [command, ...args].join(' '), onLine, signal }: RunCommandOptions = {},
): Promise<string> {
  signal?.throwIfAborted()
  // The rest of the environment belongs to the command: GOPROXY, JAVA_HOME, HTTPS_PROXY, HOME.
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (lines.push(line) > KEPT_LINES) lines.shift()
      onLine?.(line)
    })
  }
  let abort: (() => void) | undefined
  try {
    const ending = await new Promise<string>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`))
      abort = () => {
        child.kill('SIGKILL')
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort)
    })
    if (ending !== 'exit code 0') throw new Error(`${title}: ${ending}\n${lines.join('\n')}`.trimEnd())
    return lines.join('\n')
  } finally {
    if (abort !== undefined) signal?.removeEventListener('abort', abort)
  }
}
