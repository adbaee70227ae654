import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** A TypeScript program of the tests in a process of its own, to which one talks in messages. */
export interface MessagingProgram {
  send(message: string): void
  kill(signal: NodeJS.Signals): void
  /** Resolves with the program's next message. @throws where it ends first, with what it wrote */
  next(): Promise<unknown>
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

/** Starts a program; it is killed with the test. Its messages wait until they are asked for. */
export function startMessagingProgram(
  url: URL,
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
): MessagingProgram {
  const child = fork(fileURLToPath(url), args, {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const stdout = textOf(child.stdout)
  const stderr = textOf(child.stderr)
  const messages: unknown[] = []
  child.on('message', (message) => messages.push(message))
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({
    code: code ?? null,
    stdout: stdout(),
    stderr: stderr(),
  }))
  return {
    send: (message) => void child.send(message),
    kill: (signal) => void child.kill(signal),
    next: async () => {
      while (messages.length === 0) {
        const end = await Promise.race([ended, once(child, 'message').then(() => undefined)])
        if (end !== undefined && messages.length === 0) {
          throw new Error(`${url.pathname} ended with ${end.code}: ${end.stdout}${end.stderr}`)
        }
      }
      return messages.shift()
    },
    ended,
  }
}

function textOf(stream: ChildProcess['stdout']): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  return () => text
}
