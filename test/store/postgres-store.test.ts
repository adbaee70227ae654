import { inject, onTestFinished, expect, test } from 'vitest'
import { openStore } from '../../src/store/open-store.js'
import { createDatabase } from '../support/postgres-database.js'
import { startPostgres } from '../support/postgres.js'
import { startMessagingProgram } from '../support/messaging-program.js'
import { freePort } from '../support/free-port.js'
import { databaseAt, keyRing, openAt } from './fixtures/open-at.js'
import { testStoreConcurrently } from './conformance-concurrency.js'
import { testStoreEncryption } from './conformance-encryption.js'
import { testAttemptRecords } from './conformance-attempts.js'
import { testStore } from './conformance.js'

const postgres = { newLocation: () => createDatabase(inject('postgresUrl')), open: openAt }

testStore(postgres)
testStoreConcurrently(postgres)
testStoreEncryption(postgres)
testAttemptRecords(postgres)

test('a database without tables is refused with the command that makes them', async () => {
  const url = await postgres.newLocation()

  await expect(openStore({ database: databaseAt(url), keys: keyRing() })).rejects.toMatchObject({
    code: 'STORE_SCHEMA_MISMATCH',
    message: expect.stringMatching(/lacks 0001-endpoints.*`external-sync migrate`/),
  })
})

test.each<[title: string, change: (url: URL) => void]>([
  ['a server that is not there', (url) => (url.port = '1')],
  ['a wrong password', (url) => (url.password = 'sEcReT')],
  ['a database that is not there', (url) => (url.pathname = '/nobody')],
])('%s is STORE_UNAVAILABLE, and no password shown', async (_title, change) => {
  const url = new URL(await postgres.newLocation())
  const { password } = url
  if (_title.includes('not there')) url.port ||= String(await freePort())
  change(url)

  const error: Error = await openStore({ database: databaseAt(url.href), keys: keyRing() }).then(
    () => expect.unreachable(),
    (reason: Error) => reason,
  )
  expect(error).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/^the endpoint store postgres:\/\/127\.0\.0\.1.* could not be opened: /),
  })
  expect(error.message).not.toMatch(new RegExp(`sEcReT|${password}`))
})

test('a store outlives its database: what was acknowledged is there, and it goes on by itself', async () => {
  const server = await startPostgres()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const url = await server.createDatabase()
  const store = await openAt(url)
  onTestFinished(() => store.close())
  await store.put('EMS', { url: 'https://ems.city.example/hook' })
  const writers = ['a', 'b', 'c'].map((prefix) =>
    startMessagingProgram(new URL('fixtures/append-through-outage.ts', import.meta.url), [
      url,
      'EMS',
      prefix,
      '40',
    ]),
  )
  for (const writer of writers) expect(await writer.next()).toBe('ready')
  for (const writer of writers) writer.send('go')

  for (const mode of ['immediate', 'fast'] as const) {
    for (const writer of writers) expect(await writer.next()).toMatchObject({ written: expect.anything() })
    await server.stop(mode)
    await expect(store.get('EMS')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await server.start()
    await store.get('EMS')
  }

  for (const writer of writers) {
    for (let message = await writer.next(); message !== 'done';) message = await writer.next()
  }
  const { events = [] } = (await store.get('EMS')) ?? {}
  for (const prefix of ['a', 'b', 'c']) {
    const written = [...new Set(events.filter((type) => type.startsWith(prefix)))]
    expect(written).toEqual(Array.from({ length: 40 }, (_, update) => `${prefix}.${update}`))
  }
}, 120_000)
