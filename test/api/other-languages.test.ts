import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createTokens, openApi } from '../support/api.js'

const run = promisify(execFile)
const CLIENT = fileURLToPath(new URL('fixtures/client.py', import.meta.url))

test('a client of Python’s standard library registers, emits and reads', async ({ skip }) => {
  skip(spawnSync('python3', ['--version']).status !== 0, 'there is no python3 on the PATH')
  const { tokenOf, tokens } = createTokens()
  const api = await openApi({ tokens })
  const receiver = await api.environment.startReceiver()

  const { stdout } = await run('python3', [CLIENT, api.url, tokenOf.admin, receiver.url])

  expect(JSON.parse(stdout)).toMatchObject({
    registered: [201, { result: 'created', endpoint: { name: 'Python-EMS' } }],
    accepted: [202, { eventId: 'PYTHON-7-v1', duplicate: false }],
    repeated: [202, { duplicate: true }],
    several: [202, { results: [{ status: 202 }, { status: 422 }] }],
    cloud: [202, { eventId: 'c-1', duplicate: false }],
    read: [200, { deliveries: [{ endpoint: 'Python-EMS' }] }],
    refused: [422, { code: 'INVALID_INPUT', errors: [{ field: 'url' }] }],
  })
  await receiver.waitForRequests(3)
  expect(receiver.requests.map(({ body }) => body)).toContainEqual({
    event: 'policy.approved',
    data: { title: 'Sperrung nachts – überall' },
  })
})
