import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { EndpointCache } from '../../src/store/endpoint-cache.js'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import { recordingLogger } from '../support/recording-logger.js'
import { registerElsewhere } from '../support/register-elsewhere.js'
import { createDatabase } from '../support/postgres-database.js'
import { startPostgres } from '../support/postgres.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { openAt } from './fixtures/open-at.js'

const HOOK = { url: 'https://ems.city.example/hook' }

test('what is read is kept: many reads within a second ask the database once', async () => {
  const { cache, store, asked } = await openCache(await createDatabase(inject('postgresUrl')))
  await store.put('EMS', HOOK)
  const before = asked()

  for (let read = 0; read < 100; read++) {
    expect(await cache.subscribers('policy.approved')).toEqual(['EMS'])
    expect(await cache.get('EMS')).toMatchObject(HOOK)
  }

  expect(asked() - before).toBeLessThanOrEqual(2)
})

test('a change of this process is seen by the next read, through whichever store it was made', async () => {
  const location = await createDatabase(inject('postgresUrl'))
  const { cache } = await openCache(location)
  const other = await open(location)
  expect(await cache.subscribers('policy.approved')).toEqual([])

  await other.put('EMS', HOOK)
  expect(await cache.subscribers('policy.approved')).toEqual(['EMS'])
  await other.setState('EMS', 'paused')
  expect(await cache.get('EMS')).toMatchObject({ state: 'paused' })
  await other.remove('EMS')
  expect(await cache.get('EMS')).toBeUndefined()
  expect(await cache.subscribers('policy.approved')).toEqual([])
})

test('a change of another process is seen within a second, and at once by who knows its revision', async () => {
  const location = await createDatabase(inject('postgresUrl'))
  const { cache } = await openCache(location)
  expect(await cache.subscribers('policy.approved')).toEqual([])

  await registerElsewhere('EMS', location)
  expect(await cache.subscribers('policy.approved', { revision: 1 })).toEqual(['EMS'])

  await registerElsewhere('Hospital', location)
  expect(await cache.getLatest('Hospital')).toMatchObject(HOOK)
  await registerElsewhere('Dispatch', location)
  await expect
    .poll(() => cache.subscribers('policy.approved'), { timeout: 10_000, interval: 20 })
    .toEqual(['Dispatch', 'EMS', 'Hospital'])
})

test('in an SQLite file every change of another process is seen at once', async () => {
  const location = join(await temporaryFolder(), 'endpoints.db')
  const { cache } = await openCache(location)
  for (const name of ['A', 'B']) {
    expect(await cache.get(name)).toBeUndefined()
    await registerElsewhere(name, location)
    expect(await cache.get(name)).toMatchObject(HOOK)
  }
  expect(await cache.subscribers('policy.approved')).toEqual(['A', 'B'])
})

test('what was emitted before the last answer was asked for needs no other, and what was emitted since does', async () => {
  const location = join(await temporaryFolder(), 'endpoints.db')
  const { cache, store, asked } = await openCache(location)
  const emittedBefore = performance.now()
  await store.put('A', HOOK)
  expect(await cache.subscribers('policy.approved', { asOf: emittedBefore })).toEqual(['A'])
  const before = asked()

  expect(await cache.subscribers('policy.approved', { asOf: emittedBefore })).toEqual(['A'])
  expect(asked()).toBe(before)

  await registerElsewhere('B', location)
  const emittedSince = performance.now()
  expect(await cache.subscribers('policy.approved', { asOf: emittedBefore })).toEqual(['A'])
  expect(await cache.subscribers('policy.approved', { asOf: emittedSince })).toEqual(['A', 'B'])

  await store.put('C', HOOK)
  expect(await cache.subscribers('policy.approved', { asOf: emittedSince })).toEqual(['A', 'B', 'C'])
})

test('while the database is away attempts go on with what is known, and new events wait', async () => {
  const server = await startPostgres()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const { cache, store, lines } = await openCache(await server.createDatabase())
  await store.put('EMS', HOOK)
  expect(await cache.get('EMS')).toMatchObject(HOOK)
  await server.stop()

  // What is a second old at most is used as it is; after that the database is asked.
  await expect
    .poll(() => cache.subscribers('policy.approved').catch((error: unknown) => error), { timeout: 10_000 })
    .toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('nothing is lost') })
  expect(await cache.get('EMS')).toMatchObject(HOOK)
  expect(await cache.getLatest('EMS')).toMatchObject(HOOK)

  await server.start()
  expect(await cache.subscribers('policy.approved')).toEqual(['EMS'])
  const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
  expect(messages).toEqual([
    expect.stringContaining('does not answer: deliveries go on with what is known'),
    'the endpoint store answers again',
  ])
})

test('a change in this process while a refresh is under way is not missed', async () => {
  const { cache, store } = await openCache(await createDatabase(inject('postgresUrl')))
  for (let index = 0; index < 30; index++) {
    const reading = cache.getLatest('nobody')
    await store.put(`EMS-${index}`, HOOK)
    expect(await cache.get(`EMS-${index}`)).toMatchObject(HOOK)
    await reading
  }
})

async function open(location: string): Promise<EndpointStore> {
  const store = await openAt(location)
  onTestFinished(() => store.close())
  return store
}

async function openCache(location: string) {
  const store = await open(location)
  const { logger, lines } = recordingLogger()
  let asked = 0
  const changesSince = store.changesSince.bind(store)
  store.changesSince = (revision) => {
    asked += 1
    return changesSince(revision)
  }
  const cache = new EndpointCache({ store, logger })
  onTestFinished(() => cache.close())
  return { cache, store, lines, asked: () => asked }
}
