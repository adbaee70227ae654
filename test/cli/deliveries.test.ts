import { expect, test, vi } from 'vitest'
import { jsonLines } from '../support/cli.js'
import { openProcesses } from '../support/separate-processes.js'

// Each command is a process of its own, which takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 180_000 })

test('deliveries that wait are listed, retried and discarded', async (context) => {
  const processes = await openProcesses(context)
  const run = processes.runCommand
  const ems = await processes.startReceiver(422)
  const hospital = await processes.startReceiver(401)
  const syncService = await processes.connect()
  const retry = { slowIntervalMs: 100_000 }
  await syncService.registerEndpoint('EMS', { url: ems.url, retry })
  await syncService.registerEndpoint('Hospital', { url: hospital.url, events: ['policy.*'], retry })
  await processes.startWorker()
  await syncService.emit('policy.approved', 1, { id: 'held-1' })
  for (const id of ['held-1', 'held-2', 'held-3']) await syncService.emit('schedule.updated', 1, { id })
  const waiting = async (...args: string[]): Promise<object[]> => {
    const { stdout } = await run(['deliveries', 'waiting', ...args, '--json'])
    return stdout === '' ? [] : (jsonLines(stdout) as object[])
  }
  const waitForCount = (count: number, ...args: string[]): Promise<void> =>
    vi.waitFor(async () => expect(await waiting(...args)).toHaveLength(count), { timeout: 30_000 })

  await waitForCount(5)
  expect(await waiting('--endpoint', 'Hospital')).toMatchObject([
    {
      type: 'policy.approved',
      id: 'held-1',
      endpoint: 'Hospital',
      state: 'waiting',
      reason: 'misconfigured',
    },
  ])
  const table = await run(['deliveries', 'waiting', '--limit', '1'])
  expect(table.stdout).toMatch(
    /^EVENT +ENDPOINT +STATE +REASON +ATTEMPTS +LAST +NEXT\n\S+ +EMS +waiting +rejected +1 +HTTP 422 +in (1 m|\d+ s)\n$/,
  )
  expect(table.stderr).toBe('more wait for EMS: --limit 10, or --all\n')

  const retried = await run(['deliveries', 'retry', 'policy.approved', 'held-1', 'EMS', '--json'])
  expect(retried.code).toBe(0)
  expect(jsonLines(retried.stdout)).toMatchObject([
    { type: 'policy.approved', id: 'held-1', endpoint: 'EMS' },
  ])
  await ems.waitForRequests(5)

  const discard = [
    'deliveries',
    'discard',
    'policy.approved/held-1',
    'Hospital',
    '--reason',
    'entered \u001b[31mby hand',
  ]
  const discarded = await run(discard)
  expect(discarded.code).toBe(0)
  expect(discarded.stdout).toMatch(
    /\npolicy.approved\/held-1 +Hospital +discarded +entered by hand +1 +HTTP 401 +(now|\d s ago)\n$/,
  )
  expect(await run(discard)).toMatchObject({ code: 3, stderr: expect.stringContaining('DELIVERY_NOT_OPEN') })
  expect(await run(discard.slice(0, -2))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("required option '--reason <reason>' not specified"),
  })

  ems.respondWith(200)
  await waitForCount(4, '--endpoint', 'EMS')
  const all = ['deliveries', 'retry', '--all', '--endpoint', 'EMS']
  expect(await run(all)).toMatchObject({
    code: 0,
    stdout: 'retried 4 deliveries to EMS; 0 had ended meanwhile\n',
  })
  await waitForCount(0)
  await vi.waitFor(
    async () => {
      const { code, stdout } = await run([...all, '--json'])
      expect({ code, stdout }).toEqual({ code: 4, stdout: '{"endpoint":"EMS","retried":0,"wentOn":0}\n' })
    },
    { timeout: 30_000 },
  )
  expect(await run(['deliveries', 'waiting', '--endpoint', 'EMS'])).toMatchObject({
    code: 4,
    output: 'nothing waits for EMS\n',
  })
  expect(await run(['deliveries', 'waiting', '--endpoint', 'Nobody'])).toMatchObject({ code: 3 })
})

test.for([
  [['deliveries', 'retry', 'a.b', '1'], '<type>/<id> <endpoint>'],
  [['deliveries', 'retry', '--all'], '--all and --endpoint <name> together'],
  [['deliveries', 'retry', 'a.b/1', 'EMS', '--all', '--endpoint', 'EMS'], 'no delivery'],
  [['deliveries', 'discard', 'a.b/1', '--reason', 'x'], '<type>/<id> <endpoint>'],
] as const)('%j is wrong usage', async ([args, message], context) => {
  const processes = await openProcesses(context, { TEMPORAL_ADDRESS: '127.0.0.1:1' })

  expect(await processes.runCommand([...args])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(message),
  })
})
