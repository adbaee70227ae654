import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { readRunningServer, startTemporalServer } from '../../src/embedded/temporal-server.js'
import { freePort } from '../support/free-port.js'
import { fakeProgram, temporaryDirectory } from './fixtures/programs.js'
import { isAlive, realTemporalCli, startServer } from './fixtures/temporal.js'

const IN_USE = expect.stringMatching(/is in use: the Temporal server at .* (starts|runs) on it/)

vi.setConfig({ testTimeout: 60_000 })

test('a server starts, keeps workflows for 30 days, has the search attributes and the UI, and stops', async () => {
  const server = await startServer()
  const client = await connect(server.address)

  const { config } = await client.workflowService.describeNamespace({ namespace: server.namespace })
  expect(config?.workflowExecutionRetentionTtl?.seconds?.toNumber()).toBe(30 * 24 * 60 * 60)
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({
    namespace: server.namespace,
  })
  expect(customAttributes).toMatchObject({
    SyncEventKey: expect.anything(),
    SyncGroupEvents: expect.anything(),
    SyncWaitingOn: expect.anything(),
    SyncWaitingCount: expect.anything(),
  })
  expect((await fetch(server.uiUrl)).status).toBe(200)

  await Promise.all([server.stop(), server.stop()])
  expect(isAlive(server.pid)).toBe(false)
  expect(await server.exited).toMatchObject({ code: 0, signal: null })
})

test('data survives a restart on the same file', async () => {
  const dataFile = join(await temporaryDirectory(), 'data', 'temporal.db')
  const first = await startServer({ dataFile })
  const client = await connect(first.address)
  await client.workflow.start('someday', { taskQueue: 'nobody', workflowId: 'policy.approved/1' })
  await first.stop()

  const second = await startServer({ dataFile, namespaceRetentionDays: 7 })

  const again = await connect(second.address)
  const description = await again.workflow.getHandle('policy.approved/1').describe()
  expect(description).toMatchObject({ type: 'someday', status: { name: 'RUNNING' } })
  const { config } = await again.workflowService.describeNamespace({ namespace: 'default' })
  expect(config?.workflowExecutionRetentionTtl?.seconds?.toNumber()).toBe(7 * 24 * 60 * 60)
})

test('the data file is written with WAL', async () => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  await startServer({ dataFile })

  expect((await stat(`${dataFile}-wal`)).size).toBeGreaterThan(0)
})

test('its metrics are on the port that is asked for', async () => {
  const metricsPort = await freePort()
  await startServer({ metricsPort })

  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  expect(metrics).toContain('service_requests{')
})

test('a task queue is not divided, so that no task lies in a part where nobody looks', async () => {
  const server = await startServer()
  const { workflowService } = await connect(server.address)
  const { workflowTaskQueuePartitions } = await workflowService.listTaskQueuePartitions({
    namespace: server.namespace,
    taskQueue: { name: 'any' },
  })
  expect(workflowTaskQueuePartitions).toHaveLength(1)
})

test('the server is told to sync every commit to the disk', async () => {
  const directory = await temporaryDirectory()
  const cliPath = await fakeProgram(join(directory, 'temporal'), `echo "$@" > ${directory}/arguments; exit 1`)

  await expect(startServer({ cliPath, dataFile: join(directory, 'temporal.db') })).rejects.toThrow('code 1')

  const given = (await readFile(join(directory, 'arguments'), 'utf8')).split(' ')
  expect(given).toContain('--sqlite-pragma=synchronous=FULL')
})

test('a second start on the same file is refused with the address and pid of the first', async () => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  const first = await startServer({ dataFile })

  await expect(startServer({ dataFile })).rejects.toMatchObject({
    code: 'TEMPORAL_SERVER_FAILED',
    message: expect.stringContaining(`the Temporal server at ${first.address} (pid ${first.pid}) runs on it`),
  })
  expect(await readRunningServer(dataFile)).toEqual({
    address: first.address,
    uiUrl: first.uiUrl,
    pid: first.pid,
  })
})

test('of two starts at once on the same file exactly one gets it, and the other is told so', async () => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')

  const starts = [startServer({ dataFile }), startServer({ dataFile })]
  const results = await Promise.allSettled(starts)

  const refusals = results.filter((result) => result.status === 'rejected')
  expect(refusals).toEqual([{ status: 'rejected', reason: expect.objectContaining({ message: IN_USE }) }])
})

test('after a stop no server is recorded, and the file can be used again', async () => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  const first = await startServer({ dataFile })
  await first.stop()

  expect(await readRunningServer(dataFile)).toBeUndefined()
  await expect(stat(`${dataFile}.server.json`)).rejects.toThrow('ENOENT')
  await startServer({ dataFile })
})

test('a start waits for a server on the file that is being stopped', async () => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  const first = await startServer({ dataFile })

  const stopped = first.stop()
  await expect.poll(() => readFile(`${dataFile}.server.json`, 'utf8')).toContain('stopping')
  expect(await readRunningServer(dataFile)).toBeUndefined()
  await startServer({ dataFile })

  await stopped
})

test.for([
  ['its process is gone', async () => ({ pid: await deadPid(), address: `127.0.0.1:${await listen(0)}` })],
  ['nobody answers at its address', async () => ({ pid: process.pid, address: await freeAddress() })],
] as const)('a record is ignored when %s', async ([, stale]) => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  const record = { ...(await stale()), uiUrl: 'http://127.0.0.1:1', state: 'running', untilMs: 0 }
  await writeFile(`${dataFile}.server.json`, JSON.stringify(record))

  expect(await readRunningServer(dataFile)).toBeUndefined()
  const server = await startServer({ dataFile })
  expect(await readRunningServer(dataFile)).toMatchObject({ pid: server.pid })
})

test.for([
  ['half written', '{"address":'],
  ['saying that a server starts, long after it should have', JSON.stringify(startingUntil(Date.now() - 1))],
] as const)('a record that a crash left %s is ignored', async ([, record]) => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  await writeFile(`${dataFile}.server.json`, record)

  const server = await startServer({ dataFile })

  expect(await readRunningServer(dataFile)).toMatchObject({ pid: server.pid })
})

test('a record of a server that starts is respected', async () => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  await writeFile(`${dataFile}.server.json`, JSON.stringify(startingUntil(Date.now() + 60_000)))

  await expect(startServer({ dataFile })).rejects.toThrow(`(pid ${process.pid}) starts on it`)
})

test('a default port that is taken gets another one, a requested port that is taken is an error', async () => {
  await listen(7233)
  await listen(8233)
  const server = await startServer({ port: undefined, uiPort: undefined })
  expect(server.address).not.toBe('127.0.0.1:7233')
  expect(server.uiUrl).not.toBe('http://127.0.0.1:8233')
  await connect(server.address)

  const taken = await listen(0)
  await expect(startServer({ port: taken })).rejects.toMatchObject({
    code: 'TEMPORAL_SERVER_FAILED',
    message: expect.stringContaining(
      `port ${taken} for the Temporal server cannot be listened on (EADDRINUSE)`,
    ),
  })
  await expect(startServer({ uiPort: taken })).rejects.toThrow(
    `port ${taken} for the Temporal server's web UI`,
  )
})

test('a free port that another process takes before the server does is exchanged for another', async () => {
  const directory = await temporaryDirectory()
  const refusesOnce = `cd ${directory}
    if mkdir refused; then echo "can't set frontend port: bind: address already in use" >&2; exit 1; fi
    exec ${await realTemporalCli()} "$@"`
  const cliPath = await fakeProgram(join(directory, 'temporal'), refusesOnce)

  const server = await startServer({ cliPath, port: undefined, uiPort: undefined })

  await connect(server.address)
  expect(await readdir(directory)).toContain('refused')
})

test('another server that answers at the address is not taken for the one that was started', async () => {
  const directory = await temporaryDirectory()
  const endsWhenAnotherServes = `
    port=$(echo "$*" | sed 's/.*--port=\\([0-9]*\\).*/\\1/')
    ${await realTemporalCli()} "$@" >/dev/null 2>&1 & echo $! > ${directory}/pid
    until ${await realTemporalCli()} operator namespace describe default --address 127.0.0.1:$port; do :; done
    sleep 0.3
    exit 1`
  const cliPath = await fakeProgram(join(directory, 'temporal'), endsWhenAnotherServes)
  onTestFinished(async () => {
    process.kill(Number(await readFile(join(directory, 'pid'), 'utf8')), 'SIGKILL')
  })

  await expect(startServer({ cliPath })).rejects.toThrow('ended with code 1 before it served')
})

test('a process that exits early is reported with its last log lines, and frees the data file', async () => {
  const directory = await temporaryDirectory()
  const dataFile = join(directory, 'temporal.db')
  await writeFile(
    dataFile,
    'this is no SQLite file, though it is long enough to look like one of them '.repeat(20),
  )

  await expect(startServer({ dataFile })).rejects.toMatchObject({
    code: 'TEMPORAL_SERVER_FAILED',
    message: expect.stringMatching(
      /ended with code 1 before it served; its last log lines:\n.*not a database/s,
    ),
  })
  await expect(stat(`${dataFile}.server.json`)).rejects.toThrow('ENOENT')
})

test('a process that fails for another reason than its port is not started again', async () => {
  const runs = join(await temporaryDirectory(), 'runs')
  const cliPath = await fakeProgram(`${runs}.sh`, `echo run >> ${runs}; echo "no space left" >&2; exit 3`)

  await expect(startServer({ cliPath })).rejects.toThrow(/ended with code 3 .*\nno space left$/)
  expect(await readFile(runs, 'utf8')).toBe('run\n')
})

test('a program that cannot be run is reported with its path', async () => {
  await expect(startServer({ cliPath: '/nothing/here' })).rejects.toMatchObject({
    code: 'TEMPORAL_SERVER_FAILED',
    message: expect.stringMatching(/\/nothing\/here cannot be run: .*ENOENT/),
  })
})

test('a server that does not serve in time is stopped and reported', async () => {
  const directory = await temporaryDirectory()
  const pidFile = join(directory, 'pid')
  const cliPath = await fakeProgram(join(directory, 'temporal'), `echo $$ > ${pidFile}; exec sleep 60`)

  await expect(
    startTemporalServer({ cliPath, port: 0, uiPort: 0, readyTimeoutMs: 500 }),
  ).rejects.toMatchObject({
    code: 'TEMPORAL_SERVER_FAILED',
    message: expect.stringMatching(/did not serve within 500 ms: 127.0.0.1:\d+ does not accept connections/),
  })
  expect(isAlive(Number(await readFile(pidFile, 'utf8')))).toBe(false)
})

test('aborting ends the start and the process', async () => {
  const dataFile = join(await temporaryDirectory(), 'temporal.db')
  const controller = new AbortController()
  const start = startServer({ dataFile, signal: controller.signal })
  await expect.poll(() => stat(`${dataFile}.server.json`).catch(() => undefined)).toBeDefined()
  const reason = new Error('enough')
  controller.abort(reason)

  await expect(start).rejects.toBe(reason)
  await expect(stat(`${dataFile}.server.json`)).rejects.toThrow('ENOENT')
})

test('the log file gets the output of every run', async () => {
  const logFile = join(await temporaryDirectory(), 'logs', 'temporal.log')
  for (const logLevel of ['warn', 'info'] as const) await (await startServer({ logFile, logLevel })).stop()

  const log = await readFile(logFile, 'utf8')
  expect(log.match(/^Server: /gm)).toHaveLength(2)
  expect(log).toContain('level=INFO')
})

async function connect(address: string): Promise<Client> {
  const connection = await Connection.connect({ address })
  onTestFinished(() => connection.close())
  return new Client({ connection })
}

/** Listens on the port, unless someone else does, and resolves to it. */
async function listen(port: number): Promise<number> {
  const server: Server = createServer().listen(port, '127.0.0.1')
  onTestFinished(() => void server.close())
  const listens = await once(server, 'listening').catch(() => undefined)
  return listens === undefined ? port : (server.address() as AddressInfo).port
}

function startingUntil(untilMs: number): object {
  return { address: '127.0.0.1:1', uiUrl: '', pid: process.pid, state: 'starting', untilMs }
}

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return `127.0.0.1:${port}`
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid ?? 0
}
