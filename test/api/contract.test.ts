import { expect, test } from 'vitest'
import { openApi } from '../support/api.js'

const SINCE = '2026-01-01T00:00:00Z'

// Every other test holds what it gets to the document too.
test('every operation of the document answers as it says', async () => {
  const api = await openApi()
  const receiver = await api.environment.startReceiver(401)
  const settings = { url: receiver.url, events: ['policy.*'], headers: { 'x-tenant': 'city' } }
  await api.call('POST', '/v1/endpoints', { body: { name: 'EMS', ...settings } })
  await api.call('PUT', '/v1/endpoints/EMS', { body: settings })
  await api.call('PATCH', '/v1/endpoints/EMS', { body: { attemptTimeoutMs: 2_000 } })
  await api.call('GET', '/v1/endpoints')
  await api.call('GET', '/v1/endpoints/EMS')
  await api.call('POST', '/v1/endpoints/EMS/rotate-secret')
  await api.call('POST', '/v1/endpoints/EMS/test')
  const { body } = await api.call('POST', '/v1/events', { body: { type: 'policy.approved', data: 1 } })
  const event = `/v1/events/policy.approved/${body.eventId}`
  await expect
    .poll(async () => (await api.call('GET', event)).body)
    .toMatchObject({ deliveries: [{ state: 'waiting', evidence: [{ status: 401 }] }] })
  await api.call('GET', '/v1/events?type=policy.approved&limit=1')
  await api.call('GET', '/v1/status?match=ems&limit=1&brief=true')
  await api.call('POST', '/v1/endpoints/EMS/pause')
  await api.call('POST', `${event}/deliveries/EMS/retry`)
  await expect
    .poll(async () => (await api.call('GET', event)).body)
    .toMatchObject({ deliveries: [{ state: 'waiting', reason: 'paused' }] })
  await api.call('POST', `${event}/deliveries/EMS/discard`, { body: { reason: 'a test' } })
  await api.call('POST', '/v1/endpoints/EMS/resume')
  await api.call('GET', '/v1/endpoints/EMS/history')
  const replay = await api.call('POST', '/v1/replays', { body: { endpoint: 'EMS', since: SINCE } })
  await api.call('GET', '/v1/replays')
  await api.call('GET', `/v1/replays/${replay.body.id}`)
  for (const operation of ['pause', 'resume', 'cancel'])
    await api.call('POST', `/v1/replays/${replay.body.id}/${operation}`)
  await api.call('DELETE', '/v1/endpoints/EMS?discardWaiting=true')
  for (const path of ['/healthz', '/readyz', '/metrics']) await api.call('GET', path)

  const all = api.contract.operations.map(({ operationId }) => operationId)
  expect([...api.contract.exercised].toSorted()).toEqual(all.toSorted())
})

test('an answer that is not as the document says would be noticed', async () => {
  const { contract } = await openApi()
  const headers = new Headers({ 'content-type': 'application/json' })
  const receipt = { eventId: 'x', workflowId: 'a.b/x', duplicate: false }
  const problemsOf = (status: number, body: unknown) =>
    contract.problemsOf('POST', '/v1/events', { status, headers, body })

  expect(problemsOf(202, receipt)).toEqual([])
  expect(problemsOf(202, { ...receipt, extra: 1 })).toMatchObject([
    expect.stringContaining('additional properties'),
  ])
  expect(problemsOf(202, {})).not.toEqual([])
  expect(problemsOf(200, receipt)).toMatchObject([expect.stringContaining('not documented')])
  expect(problemsOf(422, receipt)).toMatchObject([expect.stringContaining('application/json')])
})
