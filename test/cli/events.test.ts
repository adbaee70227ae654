import { expect, test, vi } from 'vitest'
import type { ListedEvent } from '../../src/client.js'
import { jsonLines } from '../support/cli.js'
import { openProcesses } from '../support/separate-processes.js'
import { waitUntilWaiting } from '../support/waiting.js'

// Each command is a process of its own, which takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 180_000 })

test('events are listed by type, status, time and the endpoint for which they wait', async (context) => {
  const processes = await openProcesses(context)
  const run = processes.runCommand
  const healthy = await processes.startReceiver()
  const refusing = await processes.startReceiver(422)
  const syncService = await processes.connect()
  await syncService.registerEndpoint('Healthy', { url: healthy.url })
  await syncService.registerEndpoint('Refusing', { url: refusing.url, events: ['policy.*'] })
  await processes.startWorker()
  for (const id of ['cli-listed-1', 'cli-listed-2', 'cli-listed-3']) {
    await waitUntilWaiting({ syncService }, await syncService.emit('policy.approved', 1, { id }), 'rejected')
  }
  await syncService.emit('schedule.updated', 1, { id: 'cli-listed-4' })
  await syncService.waitForDeliveries('schedule.updated', 'cli-listed-4')
  const idsOf = async (...args: string[]): Promise<string[]> => {
    const { code, stdout } = await run(['events', 'list', ...args, '--json'])
    expect(code).toBe(0)
    return jsonLines(stdout)
      .map((event) => (event as ListedEvent).id)
      .toSorted()
  }

  await vi.waitFor(
    async () =>
      expect(await idsOf('--waiting-on', 'Refusing')).toEqual([
        'cli-listed-1',
        'cli-listed-2',
        'cli-listed-3',
      ]),
    { timeout: 30_000 },
  )
  await vi.waitFor(async () => expect(await idsOf('--status', 'completed')).toEqual(['cli-listed-4']), {
    timeout: 30_000,
  })
  expect(await idsOf('--type', 'schedule.updated', '--since', '2h')).toEqual(['cli-listed-4'])
  expect(await idsOf('--all')).toEqual(['cli-listed-1', 'cli-listed-2', 'cli-listed-3', 'cli-listed-4'])

  const page = await run(['events', 'list', '--limit', '2'])
  expect(page.stderr).toBe('there are more: --limit 20, or --all\n')
  expect(page.stdout).toMatch(
    /^EVENT +STATUS +ACCEPTED +WAITING +FOR\n(policy\.approved\/cli-listed-\d +running +(now|\d+ s ago) +1 +Refusing\n){2}$/,
  )
  expect(await run(['events', 'list', '--waiting-on', 'Healthy'])).toMatchObject({
    code: 4,
    output: 'nothing waits for Healthy\n',
  })
  expect(await run(['events', 'list', '--until', '2h'])).toMatchObject({ code: 4, output: 'no event\n' })
  expect(await run(['events', 'list', '--waiting-on', 'Healty'])).toMatchObject({
    code: 3,
    output: 'ENDPOINT_NOT_FOUND endpoint "Healty" is not registered\n',
  })

  const shown = await run(['events', 'show', 'policy.approved/cli-listed-1'])
  expect(shown.stdout).toMatch(/^policy.approved\/cli-listed-1: 2 deliveries, 1 open\n/)
  expect(shown.stdout).toMatch(/\nHealthy +delivered +1 +200 +(now|\d+ [sm] ago)\n/)
  expect(shown.stdout).toMatch(/\nRefusing +waiting +rejected +1 +HTTP 422 +in 1\d m\n/)
})

test('an event that is not known ends with 3', async (context) => {
  const processes = await openProcesses(context)
  for (const event of [['a.b', 'unheard-of'], ['a.b/unheard-of']]) {
    const { code, stderr, stdout } = await processes.runCommand(['events', 'show', ...event, '--json'])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(jsonLines(stderr)).toMatchObject([{ code: 'EVENT_NOT_FOUND' }])
  }
})

test('events are watched until Ctrl-C', async (context) => {
  const processes = await openProcesses(context)
  const receiver = await processes.startReceiver(422)
  const syncService = await processes.connect()
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  await processes.startWorker()
  const watch = await processes.startCommand(['events', 'watch', '--type', 'a.b', '--json'])
  const forPeople = await processes.startCommand(['events', 'watch'])
  await forPeople.waitForOutput('watching, 0 events run')
  await syncService.emit('other', 1, { id: 'watched' })
  // It says nothing but JSON, and so not when it has begun.
  await vi.waitFor(
    async () => {
      await syncService.emit('a.b', 0)
      expect(watch.stdout).not.toBe('')
    },
    { timeout: 30_000, interval: 500 },
  )

  const changes = (): ListedEvent[] => jsonLines(watch.stdout) as ListedEvent[]
  const last = (): ListedEvent | undefined => changes().findLast(({ id }) => id === 'watched')
  await syncService.emit('a.b', 1, { id: 'watched' })
  await forPeople.waitForOutput('a.b/watched  waits for EMS')
  await vi.waitFor(() => expect(last()).toMatchObject({ waiting: 1, waitingOn: ['EMS'] }), 30_000)
  receiver.respondWith(200)
  await syncService.retryDelivery('a.b', 'watched', 'EMS')
  await forPeople.waitForOutput('a.b/watched  completed')
  await vi.waitFor(() => expect(last()).toMatchObject({ status: 'completed' }), 30_000)

  expect(await watch.end('SIGINT')).toMatchObject({ code: 0 })
  expect(await forPeople.end('SIGINT')).toMatchObject({ code: 0 })
  expect(new Set(changes().map(({ type }) => type))).toEqual(new Set(['a.b']))
  expect(forPeople.stdout).toMatch(/^\d\d:\d\d:\d\d {2}other\/watched {2}/m)
})
