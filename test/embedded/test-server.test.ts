import { join } from 'node:path'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defaultCacheDir } from '../../src/embedded/cache-dir.js'
import { findTimeSkippingServer } from '../../src/embedded/test-server.js'
import { fakeProgram, temporaryDirectory } from './fixtures/programs.js'

vi.setConfig({ testTimeout: 60_000 })

const THIRTY_DAYS_MS = 30 * 24 * 60 * 60 * 1000
const JAVA_17 = `echo 'openjdk version "17.0.15" 2025-04-15' >&2`

let cacheDir: string
let bin: string

beforeEach(async () => {
  cacheDir = join(await temporaryDirectory(), 'cache')
  bin = await temporaryDirectory()
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1')
})
afterEach(() => vi.unstubAllEnvs())

test('the time-skipping server that is found skips time', { timeout: 300_000 }, async () => {
  vi.unstubAllEnvs()
  const { path } = await findTimeSkippingServer({
    path: process.env['SYNC_TEST_SERVER_PATH'],
    cacheDir: defaultCacheDir(process.env),
    searchPath: process.env['PATH'],
    onProgress: console.log,
  })
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  })
  try {
    const before = await environment.currentTimeMs()
    await environment.sleep(THIRTY_DAYS_MS)
    expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(THIRTY_DAYS_MS)
  } finally {
    await environment.teardown()
  }
})

test('a given path that is missing is an error that names it', async () => {
  await expect(findTimeSkippingServer({ path: '/nothing/here', cacheDir })).rejects.toMatchObject({
    code: 'TEMPORAL_SERVER_NOT_FOUND',
    message: expect.stringContaining('/nothing/here does not exist; SYNC_TEST_SERVER_PATH must be'),
  })
})

test('Maven is the last way and fills the cache for the next time', async () => {
  await fakeProgram(join(bin, 'java'), JAVA_17)
  await fakeProgram(
    join(bin, 'mvn'),
    '/bin/grep -q "<artifactId>temporal-test-server<" pom.xml && /bin/mkdir lib',
  )

  const path = join(cacheDir, 'temporal-test-server-1.38.0', 'temporal-test-server')
  expect(await findTimeSkippingServer({ cacheDir, searchPath: bin })).toEqual({ path, source: 'Maven' })
  expect(await findTimeSkippingServer({ cacheDir, searchPath: bin })).toEqual({ path, source: 'cache' })
})

test('when no way works the error says why and asks for Java and Maven or a path', async () => {
  await fakeProgram(join(bin, 'java'), JAVA_17.replace('17', '11'))

  const error = await findTimeSkippingServer({ cacheDir, searchPath: bin }).catch((reason: Error) => reason)

  expect(error).toMatchObject({ code: 'TEMPORAL_SERVER_NOT_FOUND' })
  expect(String(error)).toContain(`- Maven: ${join(bin, 'java')} is Java 11, needed is 17 or later`)
  expect(String(error)).toContain('SYNC_TEST_SERVER_PATH')
  expect(String(error)).toContain('install Java 17 and Maven')
})
