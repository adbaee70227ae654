import { HTTP } from 'cloudevents'
import { Webhook } from 'standardwebhooks'
import { expect, test, vi } from 'vitest'
import { openEnvironment } from '../support/environment.js'
import { waitUntilWaiting } from '../support/waiting.js'

test('a signed CloudEvent arrives, and both of two secrets verify it', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  const signingSecrets = [24, 32].map((bytes) => `whsec_${Buffer.alloc(bytes, bytes).toString('base64')}`)
  await syncService.registerEndpoint('EMS', {
    url: receiver.url,
    signingSecrets,
    format: 'cloudevents-structured',
    headers: { 'x-city': 'Springfield' },
  })

  const { eventId } = await syncService.emit('policy.approved', { id: 'SAFETY-7' }, { key: 'policy/7' })

  const [request] = await receiver.waitForRequests(1)
  const headers = request?.headers as Record<string, string>
  for (const secret of signingSecrets) new Webhook(secret).verify(request?.text ?? '', headers)
  expect(HTTP.toEvent({ headers, body: request?.text ?? '' })).toMatchObject({
    id: eventId,
    type: 'policy.approved',
    subject: 'policy/7',
    data: { id: 'SAFETY-7' },
  })
  expect(headers['x-city']).toBe('Springfield')
})

test('a mapping sends an event as the request that an API wants', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('Planner', {
    url: `${receiver.url}api`,
    connector: { method: '"PUT"', path: '"/schedules/" & data.id', body: 'data' },
  })

  await syncService.emit('schedule.updated', { id: 'night-7', ambulances: 4 })

  expect(await receiver.waitForRequests(1)).toMatchObject([
    { method: 'PUT', path: '/api/schedules/night-7', body: { id: 'night-7', ambulances: 4 } },
  ])
})

test('a mapping that fails on an event, and a connector that the worker does not have, wait as misconfigured', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('Broken', { url: receiver.url, connector: { body: '$number("x")' } })
  await syncService.registerEndpoint('Unknown', { url: receiver.url, connector: 'fhir' })

  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'misconfigured')

  const { deliveries } = await syncService.deliveries('policy.approved', receipt.eventId)
  expect(deliveries).toMatchObject([
    { endpoint: 'Broken', state: 'waiting', lastError: expect.stringContaining('MAPPING_FAILED') },
    { endpoint: 'Unknown', state: 'waiting', lastError: expect.stringContaining('CONNECTOR_UNKNOWN') },
  ])
  expect(receiver.requests).toHaveLength(0)
})

test('no more attempts are made at the same time than an endpoint takes', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  let underWay = 0
  let most = 0
  const receiver = await environment.startReceiver(async (_, response) => {
    most = Math.max(most, (underWay += 1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    underWay -= 1
    response.end()
  })
  await syncService.registerEndpoint('EMS', { url: receiver.url, maxConcurrentAttempts: 2 })

  const receipts = await Promise.all(
    Array.from({ length: 12 }, (_, shift) => syncService.emit('schedule.updated', { shift })),
  )

  await Promise.all(receipts.map((receipt) => environment.waitForDeliveries(receipt)))
  expect(receiver.requests).toHaveLength(12)
  expect(most).toBe(2)
})

test('an endpoint whose stored settings are not accepted any more waits, harms no other, and goes on when updated', async () => {
  const environment = await openEnvironment()
  const { syncService, store } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('Healthy', { url: receiver.url })
  await store.put('Outdated', { url: 'gopher://city.example/' })

  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'misconfigured')
  await receiver.waitForRequests(1)
  expect(await syncService.getEndpoint('Outdated')).toMatchObject({ problem: expect.stringContaining('url') })
  await expect(syncService.testEndpoint('Outdated')).rejects.toMatchObject({ code: 'ENDPOINT_UNUSABLE' })

  await syncService.registerEndpoint('Outdated', { url: receiver.url })
  expect(await environment.waitForDeliveries(receipt)).toMatchObject([
    { state: 'delivered' },
    { state: 'delivered' },
  ])
})

test('an address that is not allowed is a misconfiguration that says how to allow it', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  await syncService.registerEndpoint('Metadata', { url: 'http://169.254.169.254/latest/meta-data' })

  const receipt = await syncService.emit('policy.approved', {})
  await waitUntilWaiting(environment, receipt, 'misconfigured')

  const { deliveries } = await syncService.deliveries('policy.approved', receipt.eventId)
  expect(deliveries[0]?.lastError).toMatch(/ADDRESS_GUARDED: .*169\.254\.169\.254.*SYNC_ALLOW_NETWORKS/)
  expect(deliveries[0]?.lastError).not.toContain('meta-data')
})

test('an endpoint is tested by one ping and no workflow', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver((_, response) => void response.end('welcome'), 401)
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  await syncService.pauseEndpoint('EMS')

  const working = await syncService.testEndpoint('EMS')
  expect(working).toMatchObject({ outcome: 'delivered', status: 200, excerpt: 'welcome' })
  expect(working.firstByteMs).toBeGreaterThanOrEqual(0)
  expect(await syncService.testEndpoint('EMS')).toMatchObject({ outcome: 'misconfigured', status: 401 })
  expect(receiver.requests.map(({ body }) => body)).toMatchObject([
    { event: 'external-sync.ping' },
    { event: 'external-sync.ping' },
  ])
  await expect(syncService.testEndpoint('Nobody')).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' })
})

test('an event that was terminated in Temporal is said to be discarded, and is delivered when it is emitted again', async () => {
  const environment = await openEnvironment()
  const { syncService, temporal } = environment
  const receiver = await environment.startReceiver(404, 200)
  await syncService.registerEndpoint('EMS', { url: receiver.url })
  const receipt = await syncService.emit('policy.approved', { id: 'SAFETY-7' })
  await waitUntilWaiting(environment, receipt, 'misconfigured')
  await temporal.client.workflow.getHandle(receipt.workflowId).terminate('by mistake')

  await vi.waitFor(async () => {
    const { deliveries } = await syncService.deliveries('policy.approved', receipt.eventId)
    expect(deliveries).toMatchObject([{ state: 'discarded', reason: 'the workflow was terminated' }])
  })
  const again = await syncService.emit('policy.approved', { id: 'SAFETY-7' }, { id: receipt.eventId })

  expect(again.duplicate).toBe(false)
  expect(await environment.waitForDeliveries(again)).toMatchObject([{ state: 'delivered' }])
})
