import { expect, test, vi } from 'vitest'
import { openProcesses } from '../support/separate-processes.js'
import { runOnTerminal } from '../support/terminal.js'

// Each command is a process of its own, which takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 180_000 })

const ESCAPE = '\u001b['

test('a table fits the terminal and has colours there, and neither elsewhere', async (context) => {
  const processes = await openProcesses(context)
  const syncService = await processes.connect()
  const events = Array.from({ length: 10 }, (_, number) => `policy.of-the-kind-${number}`)
  await syncService.registerEndpoint('EMS', { url: 'https://ems.city.example/', events })
  const list = 'node dist/cli.js endpoints list'

  const terminal = await runOnTerminal(list, { env: processes.env, columns: 60 })
  const plain = await runOnTerminal(list, { env: { ...processes.env, NO_COLOR: '1' }, columns: 60 })
  const piped = await processes.runCommand(['endpoints', 'list'])

  expect(terminal).toMatchObject({ code: 0, screen: expect.stringContaining(`${ESCAPE}32mactive`) })
  expect(plain.screen).not.toContain(ESCAPE)
  const rows = plain.screen.split(/\r?\n/).slice(0, 2)
  expect(rows[1]).toMatch(/^EMS {3}active +0 +policy\.of-\S*… +https:\/\//)
  expect(rows.map(({ length }) => length <= 60)).toEqual([true, true])
  expect(piped.output).not.toContain(ESCAPE)
  expect(piped.stdout).toContain(events.join(', '))
})

test('a secret is asked without an echo', async (context) => {
  const processes = await openProcesses(context)
  const receiver = await processes.startReceiver()
  const add = `node dist/cli.js endpoints add EMS --url ${receiver.url} --auth-token-from prompt`

  const { code, screen } = await runOnTerminal(add, {
    env: processes.env,
    answer: { to: 'authToken of EMS: ', typed: 'Bearer sEcReT\r' },
  })

  expect(screen).toContain('EMS is created')
  expect(code).toBe(0)
  expect(screen).not.toContain('sEcReT')
  await processes.runCommand(['endpoints', 'test', 'EMS'])
  expect(receiver.requests[0]?.headers.authorization).toBe('Bearer sEcReT')
})

test('Ctrl-C at the question changes nothing', async (context) => {
  const processes = await openProcesses(context)
  const add = 'node dist/cli.js endpoints add EMS --url https://ems.city.example/ --auth-token-from prompt'

  const { code, screen } = await runOnTerminal(add, {
    env: processes.env,
    answer: { to: 'authToken of EMS: ', typed: 'Bearer sEc\u0003' },
  })

  expect(code).toBe(2)
  expect(screen).toContain('a secret, of which none was entered')
  expect((await processes.runCommand(['endpoints', 'list'])).stdout).toBe('')
})
