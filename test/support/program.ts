import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** How a program ended. */
interface ProgramExit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A process of a test; it is killed when it is disposed of. */
export interface Program extends AsyncDisposable {
  /** What it has printed so far, both streams. */
  readonly output: string
  readonly stdout: string
  readonly stderr: string
  readonly exited: Promise<ProgramExit>
  /** As `exited`, after all that it has printed. */
  readonly closed: Promise<ProgramExit>
  /**
   * Resolves as soon as it has printed `text`.
   * @throws an error with its output when it ends before
   */
  waitForOutput(text: string): Promise<void>
  /** Sends the signal to this process alone, and waits for its end. */
  end(signal: NodeJS.Signals): Promise<ProgramExit>
}

/** Where a program that serves says that it does. */
export function servedUrl({ output }: Pick<Program, 'output'>): string {
  const [url = ''] = /http:\/\/127\.0\.0\.1:\d+(?=\n)/.exec(output) ?? []
  return url
}

/** Runs `node`, or another program, with these arguments in the repository's root; `input` is its standard input. */
export async function startProgram(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input?: string,
  command = process.execPath,
): Promise<Program> {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: 'pipe' })
  // One that does not read it may have ended.
  child.stdin.on('error', () => undefined).end(input)
  const changes = new EventEmitter()
  const printed = { output: '', stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      printed.output += chunk
      printed[name] += chunk
      changes.emit('change')
    })
  }
  const endOf = (event: 'exit' | 'close'): Promise<ProgramExit> =>
    once(child, event).then(([code, signal]): ProgramExit => ({ code, signal }))
  const exited = endOf('exit')
  const closed = endOf('close')
  let isClosed = false
  child.on('close', () => {
    isClosed = true
    changes.emit('change')
  })
  await once(child, 'spawn')
  const end = (signal: NodeJS.Signals): Promise<ProgramExit> => {
    child.kill(signal)
    return exited
  }
  return {
    get output() {
      return printed.output
    },
    get stdout() {
      return printed.stdout
    },
    get stderr() {
      return printed.stderr
    },
    exited,
    closed,
    waitForOutput: async (text) => {
      while (!printed.output.includes(text)) {
        if (isClosed) throw new Error(`it ended before it printed "${text}":\n${printed.output}`)
        await once(changes, 'change')
      }
    },
    end,
    [Symbol.asyncDispose]: () => end('SIGKILL').then(() => undefined),
  }
}
