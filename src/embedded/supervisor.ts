import type { ServerRecord } from './server-record.js'

/** What the supervisor is told at its start. */
export interface SupervisorTask {
  /** The server program and its arguments. */
  command: string
  args: readonly string[]
  /** Gets the server's output appended. */
  logFile: string | undefined
  /** What is recorded while the server runs, and where; absent for a server without a data file. */
  record: (ServerRecord & { file: string }) | undefined
  /** How long a stop waits for the server before it is killed. */
  killAfterMs: number
}

/** What the supervisor tells its parent, one JSON line each. */
export type SupervisorMessage =
  | { type: 'started'; pid: number }
  | { type: 'listening' }
  | { type: 'recorded' }
  | { type: 'exited'; code: number | null; signal: string | null; log: string }

/**
 * Source of the process between the program and the server, run by `node -e` so that it is the same from `src/`
 * and from `dist/`. It lives as long as the server, and the server no longer than the program: the program's
 * end, however it comes, closes the pipe that is this process's stdin.
 *
 *     stdin has data         ──▶ the server serves: the record says running
 *     stdin closed, SIGTERM ──▶ SIGTERM to the server, SIGKILL after killAfterMs
 *     server ended          ──▶ record removed, `exited` told, end
 *
 * SIGINT and SIGHUP are a terminal's; they are the program's to handle, which then closes the pipe.
 */
export const SUPERVISOR_SOURCE = String.raw`
  const { spawn } = require('node:child_process')
  const { openSync, writeSync, writeFileSync, renameSync, rmSync } = require('node:fs')
  const task = JSON.parse(process.argv[1])

  const attempt = (action) => { try { action() } catch {} } // a full disk must not end the server
  const tell = (message, done) => process.stdout.write(JSON.stringify(message) + '\n', done)
  process.stdout.on('error', () => {})
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {})

  let log, logFd
  if (task.logFile !== undefined) attempt(() => { logFd = openSync(task.logFile, 'a') })
  const keep = (chunk) => {
    if (logFd !== undefined) attempt(() => writeSync(logFd, chunk))
    log = ((log ?? '') + chunk).slice(-65536)
  }

  let record = task.record
  const update = (changes) => {
    if (record === undefined) return
    const { file, ...content } = record = { ...record, ...changes }
    attempt(() => {
      writeFileSync(file + '.' + process.pid, JSON.stringify(content))
      renameSync(file + '.' + process.pid, file)
    })
  }

  let ended = false
  const end = (code, signal) => {
    if (ended) return
    ended = true
    if (record !== undefined) attempt(() => rmSync(record.file, { force: true }))
    tell({ type: 'exited', code, signal, log: log ?? '' }, () => process.exit())
  }
  const server = spawn(task.command, task.args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
  server.on('spawn', () => {
    update({ pid: server.pid })
    tell({ type: 'started', pid: server.pid })
  })
  server.on('error', (error) => { keep(error.message); if (server.pid === undefined) end(null, null) })
  server.on('close', end)
  server.stderr.on('data', keep)
  server.stdout.on('data', (chunk) => {
    keep(chunk)
    if (/^Server:/m.test(chunk)) tell({ type: 'listening' })
  })

  let stopping = false
  const stop = () => {
    if (stopping || ended) return
    stopping = true
    update({ state: 'stopping', untilMs: Date.now() + task.killAfterMs + 5000 })
    server.kill('SIGTERM')
    setTimeout(() => server.kill('SIGKILL'), task.killAfterMs)
  }
  process.on('SIGTERM', stop)
  process.stdin.once('data', () => {
    if (!stopping && !ended) update({ state: 'running' })
    tell({ type: 'recorded' })
  })
  for (const event of ['end', 'close', 'error']) process.stdin.on(event, stop)
`
