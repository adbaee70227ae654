import { expect, test } from 'vitest'
import { servedUrl } from '../support/program.js'
import { openEmbedded, openProcesses, type SeparateProcesses } from '../support/separate-processes.js'

test('serve with a worker is all that a caller needs', async (context) => {
  const processes = await openProcesses(context)
  const receiver = await processes.startReceiver()
  const [token, entry] = await createToken(processes, 'admin')
  const server = await processes.startServer(['--worker'], { SYNC_API_TOKENS: entry })
  const url = servedUrl(server)
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const post = (path: string, body: object): Promise<Response> =>
    fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })

  expect((await post('/v1/endpoints', { name: 'EMS', url: receiver.url })).status).toBe(201)
  expect((await post('/v1/events', { type: 'a.b', data: 1 })).status).toBe(202)
  await receiver.waitForRequests(1)
  expect((await fetch(`${url}/v1/endpoints`)).status).toBe(401)
  expect(await server.end('SIGTERM')).toMatchObject({ code: 0 })
  expect(server.output).not.toContain(token)
})

test('serve refuses an address beyond this machine without tokens, before it connects', async (context) => {
  const processes = await openProcesses(context, { TEMPORAL_ADDRESS: '127.0.0.1:1' })

  const { code, output } = await processes.runCommand(['serve', '--ip', '0.0.0.0', '--port', '0'])

  expect(code).toBe(1)
  expect(output).toMatch(
    /^INVALID_INPUT environment: SYNC_API_TOKENS is not accepted: expected <role>:<SHA-256/m,
  )
})

test('a role that there is not is refused with those that there are', async (context) => {
  const processes = await openProcesses(context)

  expect(await processes.runCommand(['tokens', 'create', '--role', 'root'])).toMatchObject({
    code: 2,
    output: expect.stringContaining('Allowed choices are emit, operate, admin'),
  })
})

test('the embedded system serves the API', async (context) => {
  const processes = openEmbedded(context)
  const system = await (await processes).startEmbedded()
  const receiver = await (await processes).startReceiver()
  const [url = ''] = /(?<=HTTP API +)http:\/\/127\.0\.0\.1:\d+/.exec(system.output) ?? []
  const post = (path: string, body: object): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  expect((await post('/v1/endpoints', { name: 'EMS', url: receiver.url })).status).toBe(201)
  expect((await post('/v1/events', { type: 'a.b', data: 1 })).status).toBe(202)
  await receiver.waitForRequests(1)
  expect(await system.end('SIGTERM')).toMatchObject({ code: 0 })
})

async function createToken(
  processes: SeparateProcesses,
  role: string,
): Promise<[token: string, entry: string]> {
  const { output } = await processes.runCommand(['tokens', 'create', '--role', role])
  const [, token = '', entry = ''] = /^token {2}(sync_\S+)\nentry {2}(\S+)\n$/.exec(output) ?? []
  return [token, entry]
}
