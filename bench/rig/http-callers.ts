import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startServer } from '../../dist/server.js'
import type { Callers } from './callers.js'
import type { System } from './system.js'

const PROCESS = fileURLToPath(new URL('http-callers-process.js', import.meta.url))

/** Callers of the system's HTTP API in a process of their own. */
export interface HttpCallers extends Callers, AsyncDisposable {}

/** Serves the API in this process, beside the system. */
export async function openHttpCallers({ service, logger }: System): Promise<HttpCallers> {
  const server = await startServer({ service, logger })
  const child = fork(PROCESS, { execArgv: [], stdio: ['ignore', 2, 2, 'ipc'] })
  const ended = once(child, 'exit').then(() => {
    throw new Error('the process of the callers has ended by itself')
  })
  ended.catch(() => undefined)
  return {
    emitAll: async (calls) => {
      const answered = once(child, 'message')
      child.send({ url: server.url, calls })
      const [emittedAtMs] = (await Promise.race([answered, ended])) as [number[]]
      return emittedAtMs
    },
    [Symbol.asyncDispose]: async () => {
      child.disconnect()
      await server.stop()
    },
  }
}
