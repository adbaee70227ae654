import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Libsql from 'libsql'
import { expect, onTestFinished, test } from 'vitest'
import type { EndpointStore } from '../../src/store/endpoint-store.js'
import { databaseAt, keyRing, openAt } from './fixtures/open-at.js'
import { openStore } from '../../src/store/open-store.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { testStoreConcurrently } from './conformance-concurrency.js'
import { testStoreEncryption } from './conformance-encryption.js'
import { testAttemptRecords } from './conformance-attempts.js'
import { testStore } from './conformance.js'

const sqlite = {
  newLocation: async () => join(await temporaryFolder(), 'data', 'endpoints.db'),
  open: openAt,
}

testStore(sqlite)
testStoreConcurrently(sqlite)
testStoreEncryption(sqlite)
testAttemptRecords(sqlite)

test('the file and what SQLite keeps beside it are for their owner alone', async () => {
  const folder = join(await temporaryFolder(), 'data')
  const store = await open(join(folder, 'endpoints.db'))
  await store.put('EMS', { url: 'https://ems.city.example/', authToken: 'Bearer abc123' })

  const files = await readdir(folder)
  expect(files.toSorted()).toEqual(['endpoints.db', 'endpoints.db-shm', 'endpoints.db-wal'])
  for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
})

test('the mode of a folder and a file that were there before is left alone', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'endpoints.db')
  await writeFile(file, '')
  await chmod(file, 0o640)
  await chmod(folder, 0o750)
  await open(file)

  expect((await stat(file)).mode & 0o777).toBe(0o640)
  expect((await stat(folder)).mode & 0o777).toBe(0o750)
})

test('the journal is a write-ahead log', async () => {
  const file = await sqlite.newLocation()
  await open(file)

  expect(query(file, 'pragma journal_mode')).toEqual([{ journal_mode: 'wal' }])
})

test('every problem with the path is STORE_UNAVAILABLE and names the path', async () => {
  const folder = await temporaryFolder()
  await writeFile(join(folder, 'file'), '')
  await mkdir(join(folder, 'directory'))

  for (const file of [
    join(folder, 'file', 'endpoints.db'),
    join(folder, 'file', 'below', 'endpoints.db'),
    join(folder, 'directory'),
    '/sys/external-sync/endpoints.db',
  ]) {
    await expect(openStore({ database: databaseAt(file), keys: keyRing() })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(`the endpoint store ${file} could not be opened`),
    })
  }
})

test.each<[title: string, content: Buffer]>([
  ['text', Buffer.from('These are the notes of the EMS, not a database.\n'.repeat(100))],
  ['zeros', Buffer.alloc(8_192)],
  [
    'a header without a database',
    Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4_080, 0xff)]),
  ],
])('a file that is no database is a clear error and stays as it is: %s', async (_title, content) => {
  const file = join(await temporaryFolder(), 'endpoints.db')
  await writeFile(file, content)

  await expect(openStore({ database: databaseAt(file), keys: keyRing() })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(new RegExp(`${file} could not be opened: .*(database|malformed|I/O)`)),
  })
  expect((await readFile(file)).equals(content)).toBe(true)
})

test('a database of a later version of this package is a clear error', async () => {
  const file = await sqlite.newLocation()
  await (await open(file)).list()
  query(file, `insert into kysely_migration values ('9999-later', '2030-01-01') returning name`)

  await expect(openStore({ database: databaseAt(file), keys: keyRing() })).rejects.toMatchObject({
    code: 'STORE_SCHEMA_MISMATCH',
    message: expect.stringContaining('9999-later'),
  })
})

test.each(['settings', 'credentials'])(
  'an endpoint whose %s are damaged is unusable, shows nothing of them and harms no other',
  async (column) => {
    const file = await sqlite.newLocation()
    const store = await open(file)
    await store.put('EMS', { url: 'https://ems.city.example/', authToken: 'Bearer abc123' })
    query(file, `update endpoints set ${column} = 'sEcReT' returning name`)

    const expected = { name: 'EMS', problem: expect.stringContaining(`the stored ${column} cannot be read`) }
    for (const endpoint of [await store.get('EMS'), ...(await store.list())]) {
      expect(endpoint).toMatchObject(expected)
      expect(JSON.stringify(endpoint)).not.toMatch(/sEcReT|abc123/)
    }
    expect(await store.put('EMS', { url: 'https://ems.city.example/' })).toBe('updated')
    expect(await store.get('EMS')).toMatchObject({ url: 'https://ems.city.example/' })
  },
)

async function open(file: string): Promise<EndpointStore> {
  const store = await openStore({ database: databaseAt(file), keys: keyRing() })
  onTestFinished(() => store.close())
  return store
}

function query(file: string, sql: string): unknown[] {
  const database = new Libsql(file)
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}
