import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { expect, test, vi } from 'vitest'
import { jsonLines } from '../support/cli.js'
import { openProcesses } from '../support/separate-processes.js'
import { waitUntilWaiting } from '../support/waiting.js'

// Each command is a process of its own, which takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 180_000 })

const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 's').toString('base64')}`

test('an endpoint is added, shown, updated, paused, resumed, tested and removed', async (context) => {
  const processes = await openProcesses(context)
  const receiver = await processes.startReceiver()
  const run = processes.runCommand
  const url = `${receiver.url}hooks?site=7`

  expect(
    await run(['endpoints', 'add', 'EMS', '--url', url, '--events', 'policy.*, schedule.updated']),
  ).toMatchObject({ code: 0, output: 'EMS is created\n' })
  const again = await run(['endpoints', 'add', 'EMS', '--url', url])
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('--replace') })
  const replaced = await run([
    'endpoints',
    'add',
    'EMS',
    '--url',
    url,
    '--format',
    'raw',
    '--replace',
    '--json',
  ])
  expect(jsonLines(replaced.stdout)).toEqual([{ name: 'EMS', result: 'updated' }])
  expect(
    await run(['endpoints', 'update', 'EMS', '--unset', 'format', '--events', 'policy.*']),
  ).toMatchObject({
    output: 'EMS is updated\n',
  })
  expect(await run(['endpoints', 'update', 'EMS', '--events', 'policy.*'])).toMatchObject({
    code: 0,
    output: 'EMS is as it was\n',
  })
  const settings = '{"retry": {"slowIntervalMs": 60000}, "events": null}'
  expect(await run(['endpoints', 'update', 'EMS', '--settings', '-'], {}, settings)).toMatchObject({
    code: 0,
  })

  const shown = await run(['endpoints', 'show', 'EMS', '--json'])
  expect(jsonLines(shown.stdout)).toMatchObject([
    { name: 'EMS', url, state: 'active', retry: { slowIntervalMs: 60_000 }, waiting: 0 },
  ])
  expect(shown.stdout).not.toContain('events')
  expect((await run(['endpoints', 'show', 'EMS'])).stdout).toMatch(
    /^name +EMS\nstate +active\nretry +\{"slowIntervalMs":60000\}\nurl +http.*\/hooks\?site=7\nwaiting +0\ncreated +/,
  )
  expect((await run(['endpoints', 'pause', 'EMS'])).output).toBe('EMS is paused\n')
  expect((await run(['endpoints', 'list'])).stdout).toMatch(
    /\nEMS +paused +0 +all +http:\/\/127\.0\.0\.1:\d+\n$/,
  )
  expect((await run(['endpoints', 'resume', 'EMS'])).output).toBe('EMS is resumed\n')

  const tested = await run(['endpoints', 'test', 'EMS', '--json'])
  expect(jsonLines(tested.stdout)).toMatchObject([{ outcome: 'delivered', status: 200 }])
  receiver.respondWith((_, response) => void response.writeHead(403).end('no\u001b[2Jway'))
  expect(await run(['endpoints', 'test', 'EMS'])).toMatchObject({
    code: 5,
    stdout: expect.stringMatching(
      /^✗ EMS {2}403 in \d+ ms: a delivery would wait \(misconfigured\)\n {2}first byte after \d+ ms\n {2}no[ -~]*way\n$/,
    ),
  })

  expect((await run(['endpoints', 'remove', 'EMS'])).output).toBe('EMS is removed\n')
  const update = 'update --url http://127.0.0.1:1'
  for (const action of ['show', update, 'rotate-secret', 'pause', 'resume', 'remove', 'test']) {
    const [command = '', ...options] = action.split(' ')
    expect(await run(['endpoints', command, 'EMS', ...options])).toMatchObject({
      code: 3,
      output: 'ENDPOINT_NOT_FOUND endpoint "EMS" is not registered\n',
    })
  }
  expect((await run(['endpoints', 'history', 'EMS'])).stdout.split('\n')).toHaveLength(9)
})

test('an endpoint for which something waits is removed only as it is told', async (context) => {
  const processes = await openProcesses(context)
  const run = processes.runCommand
  const receiver = await processes.startReceiver(422)
  const syncService = await processes.connect()
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  await processes.startWorker()
  await waitUntilWaiting({ syncService }, await syncService.emit('a.b', 1, { id: 'of-removed' }), 'rejected')
  await vi.waitFor(
    async () => {
      const { stdout } = await run(['endpoints', 'list', '--json'])
      expect(JSON.parse(stdout)).toMatchObject([{ name: 'EMS', waiting: 1 }])
    },
    { timeout: 30_000 },
  )
  expect((await run(['endpoints', 'list'])).stderr).toContain('events list --status running')

  expect(await run(['endpoints', 'remove', 'EMS'])).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^ENDPOINT_HAS_WAITING .*has 1 deliveries waiting.*--discard-waiting/),
  })
  expect(await run(['endpoints', 'remove', 'EMS', '--discard-waiting'])).toMatchObject({ code: 0 })
  expect(await syncService.waitForDeliveries('a.b', 'of-removed')).toBe(true)
})

test('secrets come from files and standard input, are sent, and are never printed', async (context) => {
  const processes = await openProcesses(context)
  const receiver = await processes.startReceiver()
  const secrets = { token: 'Bearer sEcReT-token-1', key: 'sEcReT-key', signing: SIGNING_SECRET }
  const keyFile = join(processes.folder, 'key')
  const signingFile = join(processes.folder, 'signing')
  await writeFile(keyFile, `${secrets.key}\n`)
  await writeFile(signingFile, secrets.signing)

  const add = ['endpoints', 'add', 'EMS', '--url', receiver.url, '--auth-token-from', '-']
  const results = [
    await processes.runCommand(
      [...add, '--header-from', `x-api-key=${keyFile}`, '--signing-secret-from', signingFile],
      {},
      `${secrets.token}\n`,
    ),
    await processes.runCommand(['endpoints', 'show', 'EMS']),
    await processes.runCommand(['endpoints', 'show', 'EMS', '--json']),
    await processes.runCommand(['endpoints', 'list', '--json']),
    await processes.runCommand(['endpoints', 'test', 'EMS']),
    await processes.runCommand(['endpoints', 'history', 'EMS']),
  ]

  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0])
  expect(receiver.requests[0]?.headers).toMatchObject({
    authorization: secrets.token,
    'x-api-key': secrets.key,
    'webhook-signature': expect.stringMatching(/^v1,/),
  })
  const printed = results.map(({ output }) => output).join('')
  for (const secret of Object.values(secrets)) expect(printed).not.toContain(secret)
  expect(printed).toMatch(/^headerNames +x-api-key$/m)
})

test('a new signing secret is all that standard output gets, and signs beside the one before', async (context) => {
  const processes = await openProcesses(context)
  const run = processes.runCommand
  const receiver = await processes.startReceiver()
  await run(
    ['endpoints', 'add', 'EMS', '--url', receiver.url, '--signing-secret-from', '-'],
    {},
    SIGNING_SECRET,
  )

  const rotated = await run(['endpoints', 'rotate-secret', 'EMS'])
  expect(rotated).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^whsec_[\w+/]{43}=\n$/),
    stderr:
      'EMS signs with a new secret and with the one before. What its receiver needs is shown this once:\n',
  })
  expect(await run(['endpoints', 'test', 'EMS'])).toMatchObject({ code: 0 })
  const [request] = receiver.requests
  const headers = request?.headers as Record<string, string>
  for (const secret of [rotated.stdout.trim(), SIGNING_SECRET]) {
    new Webhook(secret).verify(request?.text ?? '', headers)
  }

  const again = await run(['endpoints', 'rotate-secret', 'EMS', '--json'])
  expect(jsonLines(again.stdout)).toEqual([{ name: 'EMS', signingSecret: expect.stringMatching(/^whsec_/) }])
})

test.for([
  [['--auth-token', 'sEcReT'], '--auth-token is not accepted: expected no secret as an argument'],
  [
    ['--auth-token=sEcReT'],
    'give --auth-token-from: prompt (asked without echo), - (standard input) or a file',
  ],
  [['--signing-secret', 'sEcReT'], 'give --signing-secret-from'],
  [['--header', 'x-api-key: sEcReT'], 'give --header-from'],
  [
    ['--auth-token-from', 'sEcReT'],
    '--auth-token-from is not accepted: expected a file that can be read (ENOENT)',
  ],
  [['--header-from', 'x-api-key: sEcReT'], '--header-from is not accepted: expected <name>=<source>'],
  [['--header-from', 'x-api-key=sEcReT'], '--header-from is not accepted: expected a file that can be read'],
  [['--token=sEcReT'], "unknown option '--token=…'"],
  [['--settings', '-'], '--settings is not accepted: expected JSON'],
  [['--settings', '-', '--auth-token-from', '-'], 'expected one option at most that reads standard input'],
  [['--auth-token-from', 'prompt'], 'expected a terminal to ask on'],
  [['--url', 'https://me:sEcReT@ems.example'], 'url "https://ems.example" is not accepted'],
] as const)('%j is refused, and shows no secret', async ([options, message], context) => {
  const processes = await openProcesses(context, { TEMPORAL_ADDRESS: '127.0.0.1:1' })
  const input = '{"authToken": sEcReT'

  const { code, stdout, stderr } = await processes.runCommand(
    ['endpoints', 'add', 'EMS', '--format', 'raw', ...options, '--json'],
    {},
    input,
  )

  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(jsonLines(stderr)).toEqual([
    expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
  ])
  expect(stderr).not.toContain('sEcReT')
})

test.for([['--auth-token', 'sEcReT'], ['--token=sEcReT'], ['--auth-token-from', 'sEcReT']])(
  '%j is refused to people, and shows no secret',
  async (options, context) => {
    const processes = await openProcesses(context, { TEMPORAL_ADDRESS: '127.0.0.1:1' })

    const { code, output } = await processes.runCommand(['endpoints', 'add', 'EMS', ...options])

    expect(code).toBe(2)
    expect(output).not.toContain('sEcReT')
  },
)
