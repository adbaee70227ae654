import { expect, test } from 'vitest'
import type { Replay } from '../../src/client.js'
import { waitForReplay } from '../support/replays.js'
import { openProcesses } from '../support/separate-processes.js'

test('a replay is started, watched, paused, resumed, cancelled and listed from the command line', async (context) => {
  const processes = await openProcesses(context)
  await processes.startWorker()
  const syncService = await processes.connect({ grouping: 'auto' })
  const events = Array.from({ length: 40 }, (_, number) => ({ type: 'policy.approved', data: { number } }))
  await syncService.emitMany(events)
  const receiver = await processes.startReceiver()
  await syncService.registerEndpoint('EMS', { url: receiver.url })

  const whole = await processes.runCommand(['replay', 'EMS', '--since', '2026-01-01', '--rate', '1000'])
  expect(whole.code).toBe(0)
  expect(whole.output).toMatch(/^replay [0-9a-f-]{36} to EMS\nIt reaches back to 20\d\d-/m)
  expect(whole.output).toMatch(/✓ \[█{24}\] 40 of 40 {2}completed: 40 sent\n/)

  const slow = ['--rate', '1', '--type', 'policy.*', '--detach', '--json']
  const detached = await processes.runCommand(['replay', 'start', 'EMS', '--since', '2026-01-01', ...slow])
  const { id, type, perSecond } = JSON.parse(detached.output) as Replay
  expect({ code: detached.code, type, perSecond }).toEqual({ code: 0, type: 'policy.*', perSecond: 1 })

  // Pausing and resuming are signals, of which a worker makes a state.
  expect(await processes.runCommand(['replay', 'pause', id])).toMatchObject({ code: 0 })
  await waitForReplay(syncService, { id }, { status: 'paused' })
  expect(await processes.runCommand(['replay', 'resume', id])).toMatchObject({ code: 0 })
  await waitForReplay(syncService, { id }, { status: 'running' })

  const watching = await processes.startCommand(['replay', 'watch', id])
  await watching.waitForOutput('running')
  const stopped = await watching.end('SIGINT')
  expect(stopped).toEqual({ code: 0, signal: null })
  expect(watching.output).toContain(`The replay goes on. Watch it with: npx external-sync replay watch ${id}`)

  expect(await processes.runCommand(['replay', 'cancel', id])).toMatchObject({ code: 0 })
  expect(await processes.runCommand(['replay', 'watch', id])).toMatchObject({
    code: 1,
    output: expect.stringContaining('cancelled'),
  })

  const { output } = await processes.runCommand(['replay', 'list'])
  expect(output).toMatch(
    /^ID +ENDPOINT +STATUS .*\n.* EMS +cancelled .*\n.* EMS +completed .* 40\/40 +40 +0\n$/,
  )
}, 120_000)

test('a replay that cannot be started says why', async (context) => {
  const processes = await openProcesses(context)
  await processes.connect()

  const refused = await processes.runCommand(['replay', 'Nobody', '--since', 'yesterday'])
  const unknown = await processes.runCommand(['replay', 'Nobody', '--since', '2026-01-01'])

  expect(refused).toMatchObject({
    code: 2,
    output: expect.stringContaining("option '--since <time>' argument 'yesterday' is invalid"),
  })
  expect(await processes.runCommand(['replay', 'list'])).toMatchObject({ code: 4, output: 'no replay\n' })
  expect(unknown).toMatchObject({ code: 3, output: expect.stringContaining('ENDPOINT_NOT_FOUND') })
})
