import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { SyncEvent } from '../../domain/event.js'

/** How long an expression may take; JSONata counts this itself. */
const TIME_LIMIT_MS = 250

/** When the process is ended: JSONata does not count what one built-in function or regular expression takes. */
const PROCESS_LIMIT_MS = 2 * TIME_LIMIT_MS

const PROCESS_MEMORY_MB = 64

/** Written by `npm run build`; the same place seen from src/ and from dist/. */
const PROGRAM = fileURLToPath(
  new URL('../../../dist/delivery/connectors/mapping-process.js', import.meta.url),
)

/** What the process is given: expressions by the name of their field. */
export interface MappingTask {
  expressions: [string, string][]
  event: SyncEvent
  timeLimitMs: number
}

/** What it answers: JSON by the name of the field, where an expression yields something. */
export type MappingAnswer =
  | { kind: 'evaluated'; results: [string, string][] }
  | { kind: 'failed'; name: string; message: string }
  /** It took too long, or its process died. */
  | { kind: 'ended'; name?: string; message: string }

/**
 * Evaluates mappings in a process of its own: an expression that never ends is ended with it, and one that fills
 * the memory takes nothing else down, as it would from a thread.
 */
export interface MappingEvaluator {
  /** @param owner whose mapping it is; owners take turns, so that none delays the others */
  evaluate(owner: string, expressions: [string, string][], event: SyncEvent): Promise<MappingAnswer>
  close(): Promise<void>
}

interface Job {
  task: MappingTask
  resolve: (answer: MappingAnswer) => void
  reject: (error: unknown) => void
}

export function createMappingEvaluator(): MappingEvaluator {
  const waiting = new Map<string, Job[]>()
  let child: ChildProcess | undefined
  let isWorking = false
  let isClosed = false

  return {
    evaluate: (owner, expressions, event) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(closed())
        const job = { task: { expressions, event, timeLimitMs: TIME_LIMIT_MS }, resolve, reject }
        const jobs = waiting.get(owner)
        if (jobs === undefined) waiting.set(owner, [job])
        else jobs.push(job)
        if (!isWorking) void work()
      }),
    close: async () => {
      isClosed = true
      for (const { reject } of [...waiting.values()].flat()) reject(closed())
      waiting.clear()
      await endChild()
    },
  }

  async function work(): Promise<void> {
    isWorking = true
    for (let job = nextJob(); job !== undefined; job = nextJob()) {
      // A machine that is short of processors or memory is no fault of the mapping: it has a second chance.
      const { task, resolve, reject } = job
      await run(task)
        .then((answer) => (answer.kind === 'ended' ? run(task) : answer))
        .then(resolve, reject)
    }
    isWorking = false
  }

  /** The first of the owner whose turn it is, who then goes to the end. */
  function nextJob(): Job | undefined {
    const [turn] = waiting
    if (turn === undefined) return undefined
    const [owner, jobs] = turn
    const job = jobs.shift()
    waiting.delete(owner)
    if (jobs.length > 0) waiting.set(owner, jobs)
    return job
  }

  async function run(task: MappingTask): Promise<MappingAnswer> {
    const running = (child ??= await startChild())
    if (isClosed) {
      await endChild()
      throw closed()
    }
    const answer = await answerOf(running, task)
    if (answer !== undefined) return answer
    if (isClosed) throw closed()
    const isDead = running.exitCode !== null || running.signalCode !== null
    await endChild()
    return {
      kind: 'ended',
      message: isDead
        ? 'it needs more memory than it may take'
        : `it takes longer than ${PROCESS_LIMIT_MS} milliseconds`,
    }
  }

  async function endChild(): Promise<void> {
    const ended = child
    child = undefined
    if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return
    ended.ref()
    const exited = once(ended, 'exit')
    ended.kill('SIGKILL')
    await exited
  }
}

function closed(): Error {
  return new Error('the sender is closed')
}

/** The answer; undefined where the process died or took too long. */
function answerOf(child: ChildProcess, task: MappingTask): Promise<MappingAnswer | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(undefined), PROCESS_LIMIT_MS)
    const onExit = (): void => settle(undefined)
    child.once('message', settle).once('exit', onExit)
    child.send(task, (error) => error !== null && settle(undefined))

    function settle(answer: unknown): void {
      clearTimeout(timer)
      child.off('message', settle).off('exit', onExit)
      resolve(answer as MappingAnswer | undefined)
    }
  })
}

/** @throws {Error} where the program cannot run at all, which is no fault of a mapping */
async function startChild(): Promise<ChildProcess> {
  const child = fork(PROGRAM, {
    execArgv: [`--max-old-space-size=${PROCESS_MEMORY_MB}`],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const started = new AbortController()
  const { signal } = started
  try {
    await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => {
        throw new Error(`${PROGRAM} does not run; make it with \`npm run build\``)
      }),
    ])
  } finally {
    started.abort()
  }
  // What goes wrong with it shows in the next task.
  child.on('error', () => undefined)
  // Nothing stays alive for its sake.
  child.unref()
  child.channel?.unref()
  return child
}
