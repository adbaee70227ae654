import { expect, test } from 'vitest'
import { openApi } from '../support/api.js'

const SINCE = '2026-01-01T00:00:00Z'

test('a replay is started, read, listed, paused, resumed and cancelled', async () => {
  const api = await openApi()
  const { syncService } = api.environment
  const { workflowId } = await syncService.emit('policy.approved', { id: 'SAFETY-7' })
  await api.environment.temporal.client.workflow.getHandle(workflowId).result()
  const receiver = await api.environment.startReceiver()
  await syncService.registerEndpoint('EMS', { url: receiver.url })

  const body = { endpoint: 'EMS', since: SINCE, type: 'policy.*', state: 'absent', perSecond: 5 }
  const started = await api.call('POST', '/v1/replays', { body })
  expect(started).toMatchObject({
    status: 201,
    body: { status: 'running', endpoint: 'EMS', type: 'policy.*', state: 'absent', perSecond: 5, sent: 0 },
  })
  const path = started.headers.get('location') ?? ''
  expect(path).toBe(`/v1/replays/${started.body.id}`)
  await expect
    .poll(async () => (await api.call('GET', path)).body, { timeout: 30_000 })
    .toMatchObject({ status: 'completed', total: 1, sent: 1 })
  expect(receiver.requests).toHaveLength(1)

  const other = await api.call('POST', '/v1/replays', { body: { endpoint: 'EMS', since: SINCE } })
  const operate = (operation: string) => api.call('POST', `/v1/replays/${other.body.id}/${operation}`)
  expect(await operate('pause')).toMatchObject({ status: 200, body: { id: other.body.id } })
  expect(await operate('resume')).toMatchObject({ status: 200 })
  expect(await operate('cancel')).toMatchObject({ status: 200 })
  await expect
    .poll(async () => (await api.call('GET', `/v1/replays/${other.body.id}`)).body)
    .toMatchObject({ status: 'cancelled' })
  await expect
    .poll(async () => (await api.call('GET', '/v1/replays')).body.replays)
    .toMatchObject([{ id: other.body.id }, { id: started.body.id }])
})

test('a replay that cannot be is refused, and one that is not known is not found', async () => {
  const api = await openApi()
  const start = (body: object) => api.call('POST', '/v1/replays', { body })

  expect(await start({ endpoint: 'Nobody', since: SINCE })).toMatchObject({
    status: 404,
    body: { code: 'ENDPOINT_NOT_FOUND' },
  })
  expect(await start({ endpoint: 'EMS', since: 'yesterday', rate: 5 })).toMatchObject({
    status: 422,
    body: { code: 'INVALID_INPUT', errors: [{ field: 'since' }, { field: 'rate' }] },
  })
  expect(await start({ endpoint: 'EMS', since: SINCE, until: SINCE })).toMatchObject({
    status: 422,
    body: { errors: [{ field: 'since' }] },
  })
  const unknown = { status: 404, body: { code: 'REPLAY_NOT_FOUND' } }
  expect(await api.call('GET', '/v1/replays/nobody')).toMatchObject(unknown)
  for (const operation of ['pause', 'resume', 'cancel'])
    expect(await api.call('POST', `/v1/replays/nobody/${operation}`)).toMatchObject(unknown)
})
