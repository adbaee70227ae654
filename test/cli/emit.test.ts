import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { jsonLines, runCommand } from '../support/cli.js'
import { openProcesses } from '../support/separate-processes.js'
import { temporaryFolder } from '../support/temporary-folder.js'

// Each command is a process of its own, which takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 180_000 })

test('the data come from an argument, a file or standard input', async (context) => {
  const processes = await openProcesses(context)
  const receiver = await processes.startReceiver()
  const syncService = await processes.connect()
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  await processes.startWorker()
  const file = join(processes.folder, 'policy.json')
  await writeFile(file, '{"from": "file"}')

  const results = [
    await processes.runCommand(['emit', 'a.b', '"argument"', '--json']),
    await processes.runCommand(['emit', 'a.b', '--file', file, '--id', 'from-file', '--json']),
    await processes.runCommand(['emit', 'a.b', '-', '--json'], {}, '["standard input"]\n'),
  ]

  const receipts = results.map(({ stdout }) => JSON.parse(stdout) as object)
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(receipts[1]).toEqual({ eventId: 'from-file', workflowId: 'a.b/from-file', duplicate: false })
  const requests = await receiver.waitForRequests(3)
  expect(requests.map(({ body }) => (body as { data: unknown }).data)).toEqual(
    expect.arrayContaining(['argument', { from: 'file' }, ['standard input']]),
  )
})

test('--wait ends with 5 where a delivery was given up, or has not ended in time', async (context) => {
  const processes = await openProcesses(context)
  const refusing = await processes.startReceiver(422)
  const syncService = await processes.connect()
  await syncService.registerEndpoint('Refusing', { url: refusing.url })
  await processes.startWorker()

  const emit = ['emit', 'a.b', '1', '--id', 'late', '--json']
  const timedOut = await processes.runCommand([...emit, '--wait', '--timeout', '2s'])
  expect(timedOut.code).toBe(5)
  expect(jsonLines(timedOut.stdout)).toMatchObject([
    { eventId: 'late', duplicate: false, deliveries: [{ state: 'waiting', reason: 'rejected' }] },
  ])

  const waiting = await processes.startCommand(['emit', 'a.b', '1', '--id', 'given-up', '--wait'])
  await waiting.waitForOutput('a.b/given-up is accepted')
  await syncService.discardDelivery('a.b', 'given-up', 'Refusing', 'entered by hand')
  expect(await waiting.closed).toMatchObject({ code: 5 })
  expect(waiting.stdout).toMatch(/Refusing +discarded +entered by hand +1 +HTTP 422/)

  const stopped = await processes.startCommand(['emit', 'a.b', '1', '--id', 'stopped', '--wait'])
  await stopped.waitForOutput('waiting until every delivery has ended')
  expect(await stopped.end('SIGINT')).toMatchObject({ code: 5 })
  expect(stopped.stderr).toContain('the wait is over, and the deliveries go on')
})

test('an event that went in a group is waited for as any other', async (context) => {
  const processes = await openProcesses(context, { SYNC_GROUPING: 'auto' })
  const receiver = await processes.startReceiver(503, 200)
  const syncService = await processes.connect()
  const retry = { initialIntervalMs: 200 }
  await syncService.registerEndpoint('EMS', { url: receiver.url, retry })
  await processes.startWorker()
  await syncService.emitMany(
    Array.from({ length: 5 }, (_, number) => ({ type: 'a.b', data: number, id: `of-five-${number}` })),
  )

  const ended = await Promise.all(
    Array.from({ length: 5 }, (_, number) => syncService.waitForDeliveries('a.b', `of-five-${number}`)),
  )

  expect(ended).toEqual([true, true, true, true, true])
  for (const number of [0, 1, 2, 3, 4]) {
    expect(await syncService.deliveries('a.b', `of-five-${number}`)).toMatchObject({
      deliveries: [{ state: 'delivered' }],
    })
  }
  await expect(syncService.waitForDeliveries('a.b', 'nobody')).rejects.toMatchObject({
    code: 'EVENT_NOT_FOUND',
  })
})

test('the same id with other data is refused with its code', async (context) => {
  const processes = await openProcesses(context)
  expect(await processes.runCommand(['emit', 'a.b', '1', '--id', 'conflicting'])).toMatchObject({ code: 0 })

  const { code, stdout, stderr } = await processes.runCommand([
    'emit',
    'a.b',
    '2',
    '--id',
    'conflicting',
    '--json',
  ])

  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(jsonLines(stderr)).toMatchObject([
    { code: 'EVENT_CONFLICT', message: expect.stringContaining('a.b/conflicting') },
  ])
})

test.each([
  ['bad JSON', ['a.b', '{"id":'], 'emit: data "{\\"id\\":" is not accepted: expected JSON'],
  ['no data', ['a.b'], 'emit: data is not accepted: expected JSON as an argument'],
  ['two sources', ['a.b', '1', '--file', 'x'], 'emit: data is not accepted'],
  ['a file that is not there', ['a.b', '--file', 'nowhere'], '--file "nowhere" is not accepted'],
  ['a bad type', ['a..b', '1'], 'type "a..b" is not accepted: expected names of letters'],
  [
    'a bad time',
    ['a.b', '1', '--time', 'noon'],
    'time "noon" is not accepted: expected a Date or an RFC 3339',
  ],
  ['a timeout without a wait', ['a.b', '1', '--timeout', '1s'], '--timeout is not accepted: expected --wait'],
  ['a bad timeout', ['a.b', '1', '--wait', '--timeout', 'soon'], 'expected a duration such as 30s'],
  ['an unknown option', ['a.b', '1', '--colour'], "unknown option '--colour'"],
])('%s is wrong usage, for which no server is needed', async (_title, args, message) => {
  const variables = { TEMPORAL_ADDRESS: '127.0.0.1:1', SYNC_DATA_DIR: await temporaryFolder() }

  const { code, stdout, stderr } = await runCommand(['emit', ...args, '--json'], variables)

  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(jsonLines(stderr)).toEqual([
    expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
  ])
})

test('people are told on one line what is accepted, and where the help is', async () => {
  const variables = { SYNC_DATA_DIR: await temporaryFolder() }

  expect(await runCommand(['emit', 'a.b', '{"id":'], variables)).toMatchObject({
    code: 2,
    output: 'INVALID_INPUT emit: data "{\\"id\\":" is not accepted: expected JSON\n',
  })
  expect(await runCommand(['emit'], variables)).toMatchObject({
    code: 2,
    output: "error: missing required argument 'type'\nSee external-sync emit --help\n",
  })
  const help = await runCommand(['emit', '--help'], variables)
  expect(help).toMatchObject({ code: 0, stderr: '' })
  expect(help.stdout).toMatch(
    /\nExamples:\n {2}\$ external-sync emit .*\nExit codes: 0 done, .*5 not delivered\n$/s,
  )
})
