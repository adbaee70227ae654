import { expect, test, vi } from 'vitest'
import { jsonLines } from '../support/cli.js'
import { openEmbedded } from '../support/separate-processes.js'

// Each command is a process of its own, which takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 180_000 })

test('a new user registers an endpoint, emits an event and sees that it has arrived', async (context) => {
  const processes = await openEmbedded(context)
  const system = await processes.startEmbedded()
  const ems = await processes.startReceiver()
  const run = processes.runCommand

  expect(await run(['endpoints', 'list'])).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('external-sync endpoints add --help'),
  })
  expect(
    await run(['endpoints', 'add', 'EMS-Scheduler', '--url', ems.url, '--events', 'policy.*']),
  ).toMatchObject({ code: 0, output: 'EMS-Scheduler is created\n' })
  expect(await run(['endpoints', 'test', 'EMS-Scheduler'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^✓ EMS-Scheduler {2}200 in \d+ ms\n/),
  })

  const emit = [
    'emit',
    'policy.approved',
    '{"id":"SAFETY-7"}',
    '--id',
    'SAFETY-7-v1',
    '--key',
    'policy/SAFETY-7',
  ]
  const emitted = await run([...emit, '--wait'])
  expect(emitted.code).toBe(0)
  expect(emitted.stdout).toMatch(
    /^policy.approved\/SAFETY-7-v1 is accepted\nENDPOINT +STATE +ATTEMPTS +LAST +ENDED\nEMS-Scheduler +delivered +1 +200 +(now|\d s ago)\n$/,
  )
  expect(ems.requests.map(({ body }) => body)).toContainEqual({
    event: 'policy.approved',
    data: { id: 'SAFETY-7' },
  })
  expect(await run(emit)).toMatchObject({
    code: 0,
    stdout: 'policy.approved/SAFETY-7-v1 had been accepted before\n',
  })

  const shown = await run(['events', 'show', 'policy.approved', 'SAFETY-7-v1'])
  expect(shown).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^policy.approved\/SAFETY-7-v1: 1 delivery, 0 open\nENDPOINT/),
  })
  const asJson = await run(['events', 'show', 'policy.approved/SAFETY-7-v1', '--json'])
  expect(jsonLines(asJson.stdout)).toMatchObject([
    {
      type: 'policy.approved',
      id: 'SAFETY-7-v1',
      deliveries: [{ endpoint: 'EMS-Scheduler', lastStatus: 200 }],
    },
  ])
  expect(await run(['endpoints', 'list'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^NAME +STATE +WAITING +EVENTS +URL\nEMS-Scheduler +active +0 +policy\.\* +http/,
    ),
    stderr: 'no event is open: all endpoints are up to date\n',
  })
  expect(await run(['deliveries', 'waiting'])).toMatchObject({ code: 4, output: 'nothing waits\n' })
  expect(await system.end('SIGTERM')).toMatchObject({ code: 0 })
})

test('an event of which no endpoint wants to know is accepted all the same', async (context) => {
  const processes = await openEmbedded(context)
  await processes.startEmbedded()

  expect(await processes.runCommand(['emit', 'a.b', 'null', '--wait', '--id', '1'])).toMatchObject({
    code: 0,
    stdout: 'a.b/1 is accepted\n',
    stderr: expect.stringContaining('no endpoint was subscribed to it'),
  })
})
