import { expect, test } from 'vitest'
import { openEnvironment } from '../support/environment.js'

const URL = 'https://ems.city.example/hook'

test('registering says what it did, and the same settings again change nothing', async () => {
  const { syncService } = await openEnvironment()

  expect(await syncService.registerEndpoint('EMS-Scheduler', { url: URL })).toBe('created')
  const before = await syncService.getEndpoint('EMS-Scheduler')
  expect(await syncService.registerEndpoint('EMS-Scheduler', { url: URL })).toBe('unchanged')
  expect(await syncService.getEndpoint('EMS-Scheduler')).toEqual(before)
  expect(await syncService.registerEndpoint('EMS-Scheduler', { url: `${URL}/2` })).toBe('updated')
})

test('registering replaces all settings, updating a part of them', async () => {
  const { syncService } = await openEnvironment()
  await syncService.registerEndpoint('EMS', { url: URL, authToken: 'Bearer abc123', events: ['policy.*'] })

  expect(await syncService.updateEndpoint('EMS', { url: `${URL}/2` })).toBe('updated')
  expect(await syncService.getEndpoint('EMS')).toMatchObject({
    url: `${URL}/2`,
    events: ['policy.*'],
    authTokenHint: '…',
  })

  expect(await syncService.updateEndpoint('EMS', { events: undefined })).toBe('updated')
  expect(await syncService.getEndpoint('EMS')).not.toHaveProperty('events')

  await syncService.registerEndpoint('EMS', { url: URL })
  expect(await syncService.getEndpoint('EMS')).not.toHaveProperty('authTokenHint')
})

test('a secret is never shown, only its last four characters when it is long enough', async () => {
  const { syncService } = await openEnvironment()
  await syncService.registerEndpoint('EMS-Scheduler', { url: URL, authToken: 'Bearer 0123456789abcdef' })

  const shown = [await syncService.getEndpoint('EMS-Scheduler'), ...(await syncService.listEndpoints())]

  expect(shown).toMatchObject([{ authTokenHint: '…cdef' }, { authTokenHint: '…cdef' }])
  expect(JSON.stringify(shown)).not.toContain('456789')
})

test('an endpoint that is not registered is a typed error', async () => {
  const { syncService } = await openEnvironment()
  const notFound = { code: 'ENDPOINT_NOT_FOUND', message: 'endpoint "EMS" is not registered' }

  await expect(syncService.getEndpoint('EMS')).rejects.toMatchObject(notFound)
  await expect(syncService.updateEndpoint('EMS', { url: URL })).rejects.toMatchObject(notFound)
  await expect(syncService.removeEndpoint('EMS')).rejects.toMatchObject(notFound)
})

test('an update that is not accepted changes nothing', async () => {
  const { syncService } = await openEnvironment()
  await syncService.registerEndpoint('EMS', { url: URL })

  await expect(syncService.updateEndpoint('EMS', { url: 'ftp://city.example' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    problems: [{ field: 'url', value: '"ftp://city.example"' }],
  })
  expect(await syncService.getEndpoint('EMS')).toMatchObject({ url: URL })
})

test('only subscribed endpoints get an event, and a removed one no more', async () => {
  const environment = await openEnvironment()
  const { syncService } = environment
  const receiver = await environment.startReceiver()
  await syncService.registerEndpoint('All', { url: `${receiver.url}all` })
  await syncService.registerEndpoint('Policies', { url: `${receiver.url}policies`, events: ['policy.*'] })
  await syncService.registerEndpoint('Schedules', {
    url: `${receiver.url}schedules`,
    events: ['schedule.updated'],
  })
  await syncService.registerEndpoint('Removed', { url: `${receiver.url}removed` })
  await syncService.removeEndpoint('Removed')

  const deliveries = await environment.waitForDeliveries(await syncService.emit('policy.approved', {}))

  expect(deliveries.map(({ endpoint }) => endpoint)).toEqual(['All', 'Policies'])
  expect(receiver.requests.map(({ path }) => path).toSorted()).toEqual(['/all', '/policies'])
})
