import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Arrival, Audit, Expectation, SinkCommands, SinkMode, SinkReply } from './sink-messages.js'

const PROGRAM = fileURLToPath(new URL('sink-process.js', import.meta.url))

/** All external systems of a trial, in a process of their own. */
export interface Sink extends AsyncDisposable {
  readonly pid: number
  /** Opens a listener that answers, and returns its port. */
  listen(): Promise<number>
  /** Resolves when the listener behaves so; it keeps its port. */
  behave(port: number, mode: SinkMode): Promise<void>
  /** Waits for so many deliveries of the phase. @returns whether they came within `timeoutMs` */
  untilAnswered(phase: string, count: number, timeoutMs: number): Promise<boolean>
  /** Waits for so many requests of the phase, answered or not. @returns whether they came within `timeoutMs` */
  untilReceived(phase: string, count: number, timeoutMs: number): Promise<boolean>
  /** When each delivery of the phase was answered first. */
  arrivals(phase: string): Promise<Arrival[]>
  audit(expectation: Expectation): Promise<Audit>
}

/** Starts the sink. */
export async function startSink(): Promise<Sink> {
  const child = fork(PROGRAM, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const replies = new Map<number, { resolve: (reply: object) => void; reject: (error: Error) => void }>()
  let lastId = 0
  child.on('message', ({ id, reply }: SinkReply) => {
    replies.get(id)?.resolve(reply)
    replies.delete(id)
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of replies.values()) reject(new Error(`the sink ended with ${signal ?? code}`))
  })
  await once(child, 'spawn')

  function call<Name extends keyof SinkCommands>(
    name: Name,
    args: SinkCommands[Name]['request'],
  ): Promise<SinkCommands[Name]['reply']> {
    lastId += 1
    const id = lastId
    return new Promise((resolve, reject) => {
      replies.set(id, { resolve, reject })
      child.send({ id, name, args })
    })
  }

  async function until(args: SinkCommands['until']['request'], timeoutMs: number): Promise<boolean> {
    const timeout = new AbortController()
    try {
      return await Promise.race([call('until', args).then(() => true), elapsed(timeoutMs, timeout.signal)])
    } finally {
      timeout.abort()
    }
  }

  return {
    pid: child.pid ?? 0,
    listen: async () => (await call('listen', {})).port,
    behave: async (port, mode) => void (await call('behave', { port, mode })),
    untilAnswered: (phase, count, timeoutMs) => until({ phase, count, of: 'answered' }, timeoutMs),
    untilReceived: (phase, count, timeoutMs) => until({ phase, count, of: 'received' }, timeoutMs),
    arrivals: async (phase) => (await call('arrivals', { phase })).arrivals,
    audit: (expectation) => call('audit', expectation),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

/** @returns false after the time; never when it was aborted before */
function elapsed(timeoutMs: number, signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
}
