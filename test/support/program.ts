import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** How a program ended. */
interface ProgramExit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A Node process of a test; it is killed when it is disposed of. */
export interface Program extends AsyncDisposable {
  /** What it has printed so far, both streams. */
  readonly output: string
  readonly exited: Promise<ProgramExit>
  /**
   * Resolves as soon as it has printed `text`.
   * @throws an error with its output when it ends before
   */
  waitForOutput(text: string): Promise<void>
  /** Sends the signal to this process alone, and waits for its end. */
  end(signal: NodeJS.Signals): Promise<ProgramExit>
}

/** Runs `node` with these arguments in the repository's root. */
export async function startProgram(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Program> {
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const changes = new EventEmitter()
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      changes.emit('change')
    })
  }
  const exited = once(child, 'exit').then(([code, signal]): ProgramExit => ({ code, signal }))
  let closed = false
  child.on('close', () => {
    closed = true
    changes.emit('change')
  })
  await once(child, 'spawn')
  const end = (signal: NodeJS.Signals): Promise<ProgramExit> => {
    child.kill(signal)
    return exited
  }
  return {
    get output() {
      return output
    },
    exited,
    waitForOutput: async (text) => {
      while (!output.includes(text)) {
        if (closed) throw new Error(`it ended before it printed "${text}":\n${output}`)
        await once(changes, 'change')
      }
    },
    end,
    [Symbol.asyncDispose]: () => end('SIGKILL').then(() => undefined),
  }
}
