import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { SUPERVISOR_SOURCE, type SupervisorMessage, type SupervisorTask } from './supervisor.js'

/** How a server process ended. */
export interface ServerExit {
  /** Its exit code; null when a signal ended it or it never ran. */
  code: number | null
  /** The signal that ended it. */
  signal: string | null
  /** The end of its output, at most 8 KiB. */
  log: string
}

/** A server process under its supervisor. */
export interface ServerProcess {
  /** Process id of the server itself. */
  pid: number
  /** Resolves when the server says that it listens; never when it does not say so. */
  listening: Promise<void>
  /** Resolves when the process has ended, whatever the reason. */
  exited: Promise<ServerExit>
  /** Records that the server serves, and from then on lets this program end without waiting for it. */
  serves: () => Promise<void>
  /** SIGTERM, then SIGKILL after the task's `killAfterMs`; resolves when the process has ended. */
  stop: () => Promise<void>
}

/**
 * Starts a server in a process group of its own, so that Ctrl-C reaches this program alone, under a supervisor
 * that stops it as soon as this program ends, by SIGKILL too.
 *
 * @throws an error with the reason when the program cannot be run
 */
export async function spawnServer(task: SupervisorTask): Promise<ServerProcess> {
  const supervisor = spawn(
    process.execPath,
    ['--input-type=commonjs', '-e', SUPERVISOR_SOURCE, JSON.stringify(task)],
    { detached: true, stdio: ['pipe', 'pipe', 'inherit'], windowsHide: true },
  )
  const { stdin, stdout } = supervisor
  stdin.on('error', () => {}) // the supervisor is gone, which `exited` says

  let pid: number | undefined
  let exit: ServerExit | undefined
  const messages = new EventEmitter<{ started: []; listening: []; recorded: [] }>()
  createInterface({ input: stdout }).on('line', (line) => {
    const message = JSON.parse(line) as SupervisorMessage
    if (message.type === 'exited') {
      exit = { code: message.code, signal: message.signal, log: message.log }
      return
    }
    if (message.type === 'started') pid = message.pid
    messages.emit(message.type)
  })
  const exited = new Promise<ServerExit>((resolve) => {
    supervisor.on('error', (error) => resolve({ code: null, signal: null, log: error.message }))
    supervisor.on('close', () => {
      if (exit === undefined && pid !== undefined) killOrphan(pid)
      resolve(exit ?? { code: null, signal: null, log: 'the supervisor of the server was killed' })
    })
  })
  const listening = once(messages, 'listening').then(() => {})

  await Promise.race([once(messages, 'started'), exited])
  if (pid === undefined) throw new Error(`${task.command} cannot be run: ${(await exited).log}`)

  // Each of them keeps the event loop alive by itself.
  const handles = [supervisor, stdin as Socket, stdout as Socket]
  return {
    pid,
    listening,
    exited,
    serves: async () => {
      const recorded = once(messages, 'recorded')
      stdin.write('serves\n')
      await Promise.race([recorded, exited])
      for (const handle of handles) handle.unref()
    },
    stop: async () => {
      for (const handle of handles) handle.ref()
      stdin.end()
      await exited
    },
  }
}

function killOrphan(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}
