import { expect, test, vi } from 'vitest'
import type { ListedEvent } from '../../src/client.js'
import { jsonLines } from '../support/cli.js'
import { openProcesses } from '../support/separate-processes.js'
import { waitUntilWaiting } from '../support/waiting.js'

test('events are listed by type, status, time and the endpoint for which they wait', async (context) => {
  const processes = await openProcesses(context)
  const run = processes.runCommand
  const healthy = await processes.startReceiver()
  const refusing = await processes.startReceiver(422)
  const syncService = await processes.connect()
  await syncService.registerEndpoint('Healthy', { url: healthy.url })
  await syncService.registerEndpoint('Refusing', { url: refusing.url, events: ['policy.*'] })
  await processes.startWorker()
  for (const id of ['p-1', 'p-2', 'p-3']) {
    await waitUntilWaiting({ syncService }, await syncService.emit('policy.approved', 1, { id }), 'rejected')
  }
  await syncService.emit('schedule.updated', 1, { id: 's-1' })
  await syncService.waitForDeliveries('schedule.updated', 's-1')
  const idsOf = async (...args: string[]): Promise<string[]> => {
    const { code, stdout } = await run(['events', 'list', ...args, '--json'])
    expect(code).toBe(0)
    return jsonLines(stdout)
      .map((event) => (event as ListedEvent).id)
      .toSorted()
  }

  await vi.waitFor(
    async () => expect(await idsOf('--waiting-on', 'Refusing')).toEqual(['p-1', 'p-2', 'p-3']),
    { timeout: 30_000 },
  )
  await vi.waitFor(async () => expect(await idsOf('--status', 'completed')).toEqual(['s-1']), {
    timeout: 30_000,
  })
  expect(await idsOf('--type', 'schedule.updated', '--since', '2h')).toEqual(['s-1'])
  expect(await idsOf('--all')).toEqual(['p-1', 'p-2', 'p-3', 's-1'])

  const page = await run(['events', 'list', '--limit', '2'])
  expect(page.stderr).toBe('there are more: --limit 20, or --all\n')
  expect(page.stdout).toMatch(
    /^EVENT +STATUS +ACCEPTED +WAITING +FOR\n(policy\.approved\/p-\d +running +(now|\d+ s ago) +1 +Refusing\n){2}$/,
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

  const shown = await run(['events', 'show', 'policy.approved/p-1'])
  expect(shown.stdout).toMatch(/^policy.approved\/p-1: 2 deliveries, 1 open\n/)
  expect(shown.stdout).toMatch(/\nHealthy +delivered +1 +200 +(now|\d+ [sm] ago)\n/)
  expect(shown.stdout).toMatch(/\nRefusing +waiting +rejected +1 +HTTP 422 +in 1\d m\n/)
})

test('an event that is not known ends with 3', async (context) => {
  const processes = await openProcesses(context)
  for (const event of [['a.b', 'x'], ['a.b/x']]) {
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
  await syncService.emit('other', 1, { id: '1' })
  // It says nothing but JSON, and so not when it has begun.
  await vi.waitFor(
    async () => {
      await syncService.emit('a.b', 0)
      expect(watch.stdout).not.toBe('')
    },
    { timeout: 30_000, interval: 500 },
  )

  await syncService.emit('a.b', 1, { id: '1' })
  await forPeople.waitForOutput('a.b/1  waits for EMS')
  receiver.respondWith(200)
  await syncService.retryDelivery('a.b', '1', 'EMS')
  await forPeople.waitForOutput('a.b/1  completed')
  await watch.waitForOutput('"id":"1","workflowId":"a.b/1","status":"completed"')

  expect(await watch.end('SIGINT')).toMatchObject({ code: 0 })
  expect(await forPeople.end('SIGINT')).toMatchObject({ code: 0 })
  const changes = jsonLines(watch.stdout) as ListedEvent[]
  expect(new Set(changes.map(({ type }) => type))).toEqual(new Set(['a.b']))
  expect(changes.filter(({ id }) => id === '1').at(-2)).toMatchObject({ waitingOn: ['EMS'] })
  expect(forPeople.stdout).toMatch(/^\d\d:\d\d:\d\d {2}other\/1 {2}/m)
})
