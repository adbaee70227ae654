import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test, vi } from 'vitest'
import { spawnServer } from '../../src/embedded/server-process.js'
import { readRunningServer } from '../../src/embedded/temporal-server.js'
import { fakeProgram, temporaryDirectory } from './fixtures/programs.js'
import { isAlive, processInfo, realTemporalCli, startServer } from './fixtures/temporal.js'

vi.setConfig({ testTimeout: 60_000 })
const UNTIL_GONE = { timeout: 15_000, interval: 50 }

test('the server ends when its parent is killed by SIGKILL, and its record goes with it', async () => {
  const { parent, server, dataFile } = await startParent('stay')
  expect(await readRunningServer(dataFile)).toMatchObject({ pid: server.pid })

  parent.kill('SIGKILL')

  await expect.poll(() => isAlive(server.pid), UNTIL_GONE).toBe(false)
  await expect.poll(() => stat(`${dataFile}.server.json`).catch(() => undefined), UNTIL_GONE).toBeUndefined()
})

test('Ctrl-C in the terminal of its parent does not reach the server', async () => {
  const { parent, server, lines, dataFile } = await startParent('stay')

  process.kill(-(parent.pid ?? 0), 'SIGINT') // as a terminal does: to the whole process group
  await expect.poll(() => lines).toContain('SIGINT')

  expect(await processInfo(server.pid, 'pgid')).not.toBe(parent.pid)
  expect(await readRunningServer(dataFile)).toMatchObject({ pid: server.pid })
})

test('a server that is killed is reported by its exit, and its record goes with it', async () => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  const server = await startServer({ dataFile })

  process.kill(server.pid, 'SIGKILL')

  expect(await server.exited).toMatchObject({ code: null, signal: 'SIGKILL' })
  await expect(stat(`${dataFile}.server.json`)).rejects.toThrow('ENOENT')
})

test('a server whose supervisor is killed is killed too, for nobody would stop it later', async () => {
  const server = await startServer()

  process.kill(await processInfo(server.pid, 'ppid'), 'SIGKILL')

  expect(await server.exited).toMatchObject({ log: 'the supervisor of the server was killed' })
  await expect.poll(() => isAlive(server.pid), UNTIL_GONE).toBe(false)
})

test('a server does not keep its parent alive, and ends with it', async () => {
  const { parent, server } = await startParent('end')

  if (parent.exitCode === null) await once(parent, 'exit')

  expect(parent.exitCode).toBe(0)
  await expect.poll(() => isAlive(server.pid), UNTIL_GONE).toBe(false)
})

test('a server that ignores SIGTERM is killed', async () => {
  const directory = await temporaryDirectory()
  const command = await fakeProgram(
    join(directory, 'stubborn'),
    'trap "" TERM; echo "Server: here"; while :; do sleep 1; done',
  )
  const server = await spawnServer({
    command,
    args: [],
    logFile: undefined,
    record: undefined,
    killAfterMs: 100,
  })
  await server.listening

  await server.stop()

  expect(await server.exited).toMatchObject({ code: null, signal: 'SIGKILL', log: 'Server: here\n' })
  expect(isAlive(server.pid)).toBe(false)
})

/** Runs fixtures/parent.ts in a process group of its own until it has started its server. */
async function startParent(then: 'stay' | 'end'): Promise<{
  parent: ChildProcess
  server: { address: string; pid: number }
  lines: string[]
  dataFile: string
}> {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  const script = join(import.meta.dirname, 'fixtures', 'parent.ts')
  const args = ['--import', 'tsx', script, await realTemporalCli(), dataFile, then]
  const parent = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const output = createInterface({ input: parent.stdout })
  output.on('line', (line) => lines.push(line))
  const [first] = (await once(output, 'line')) as [string]
  const server = JSON.parse(first) as { address: string; pid: number }
  onTestFinished(async () => {
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(server.pid), UNTIL_GONE).toBe(false)
  })
  return { parent, server, lines, dataFile }
}
