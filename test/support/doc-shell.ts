import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { vi } from 'vitest'

/** What the programs that serve print last when they do. */
const READY = 'Stop it with Ctrl-C'
const READY_TIMEOUT_MS = 60_000

/** In place of npm's `npx`: runs the command line that was built here, on free ports. */
const NPX = `#!/bin/sh
shift
case $1 in
  start) set -- "$@" --port 0 --ui-port 0 --api-port 0 ;;
  serve | codec) set -- "$@" --port 0 ;;
esac
exec ${process.execPath} ${resolve('dist/cli.js')} "$@"
`

/** A shell in a folder of its own, whose variables stay from command to command. */
export interface DocShell extends AsyncDisposable {
  /** Where it is. */
  readonly folder: string
  /** Runs a command to its end. Returns what a terminal would show of it. */
  run(command: string): Promise<string>
  /** Runs a program that serves; returns what it has printed when it does. It ends with `stop`. */
  start(command: string): Promise<string>
  /** Stops what was started last, and waits for its end. */
  stop(): Promise<void>
}

/** Opens a shell without `SYNC_*` and `TEMPORAL_*`, but for those that are given. */
export async function openDocShell(variables: NodeJS.ProcessEnv = {}): Promise<DocShell> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'external-sync-test-')))
  const bin = `${folder}-bin`
  await mkdir(bin)
  await writeFile(join(bin, 'npx'), NPX, { mode: 0o755 })
  const { HOME, PATH, SYNC_CACHE_DIR, SYNC_TEMPORAL_PATH } = process.env
  const bash = spawn('bash', ['--noprofile', '--norc'], {
    cwd: folder,
    env: { HOME, SYNC_CACHE_DIR, SYNC_TEMPORAL_PATH, ...variables, PATH: `${bin}${delimiter}${PATH}` },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  bash.stdout.setEncoding('utf8')
  const ended = once(bash, 'exit')
  const started: string[] = []

  const run = async (command: string): Promise<string> => {
    const end = `end-of-${randomUUID()}`
    bash.stdin.write(`{ ${command}\n} </dev/null 2>&1; echo ${end}\n`)
    let output = ''
    while (!output.includes(end)) {
      const [chunk] = (await once(bash.stdout, 'data')) as [string]
      output += chunk
    }
    return output.slice(0, output.indexOf(end))
  }
  const start = async (command: string): Promise<string> => {
    const log = join(bin, randomUUID())
    // Where the command says where its log goes, that comes later and holds.
    started.push((await run(`2>/dev/null ${command} >${log} & echo $!`)).trim())
    return vi.waitFor(
      async () => {
        const output = await readFile(log, 'utf8')
        if (output.includes(READY)) return output
        throw new Error(`it does not serve yet:\n${output}`)
      },
      { timeout: READY_TIMEOUT_MS, interval: 100 },
    )
  }
  const stop = async (): Promise<void> => {
    const pid = started.pop()
    if (pid !== undefined) await run(`kill ${pid}; wait ${pid} || true`)
  }
  return {
    folder,
    run,
    start,
    stop,
    [Symbol.asyncDispose]: async () => {
      while (started.length > 0) await stop()
      bash.stdin.end()
      await ended
      for (const path of [folder, bin]) await rm(path, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}
