import { readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { downloadBySdk } from '../../src/embedded/sdk-download.js'
import { findTemporalCli } from '../../src/embedded/temporal-cli.js'
import { fakeGo, fakeProgram, fakeTemporal, temporaryDirectory } from './fixtures/programs.js'
import { isAlive, realTemporalCli } from './fixtures/temporal.js'

vi.setConfig({ testTimeout: 60_000 })

const BUILD_TEMPORAL = `
  echo "go: downloading github.com/temporalio/cli v1.5.1" >&2
  printf '#!/bin/sh\\necho "temporal version built"\\n' > "$GOBIN/temporal"
  /bin/chmod 755 "$GOBIN/temporal"`

let cacheDir: string
let bin: string

beforeEach(async () => {
  cacheDir = join(await temporaryDirectory(), 'cache')
  bin = await temporaryDirectory()
  // Nobody listens there: the SDK's download fails at once, wherever the tests run.
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1')
  return () => vi.unstubAllEnvs()
})

test('the path that the user gave is used before any other', async () => {
  const path = await fakeTemporal(join(await temporaryDirectory(), 'my-temporal'))
  await fakeTemporal(join(bin, 'temporal'))

  expect(await findTemporalCli({ path, cacheDir, searchPath: bin })).toEqual({ path, source: 'given path' })
})

test('a given path that is missing, not executable or another program is an error, never a fall-through', async () => {
  await fakeTemporal(join(bin, 'temporal'))
  const find = (path: string) => findTemporalCli({ path, cacheDir, searchPath: bin })

  const missing = join(bin, 'nothing-here')
  await expect(find(missing)).rejects.toMatchObject({
    code: 'TEMPORAL_SERVER_NOT_FOUND',
    message: expect.stringContaining(`${missing} does not exist; SYNC_TEMPORAL_PATH must be`),
  })
  await writeFile(join(bin, 'text'), 'hello', { mode: 0o644 })
  await expect(find(join(bin, 'text'))).rejects.toThrow('is not executable')
  await expect(find(bin)).rejects.toThrow('is not a file')
  const other = await fakeProgram(join(bin, 'other'), 'echo "Temporal Logic Prover 2"')
  await expect(find(other)).rejects.toThrow('expected "temporal version …"')
})

test('temporal on PATH is used before the cache, and the cache before anything slow', async () => {
  const cached = await fakeTemporal(join(cacheDir, 'temporal-cli-1.5.1', 'temporal'))
  const onPath = await fakeTemporal(join(bin, 'temporal'))
  const empty = await temporaryDirectory()

  expect(await findTemporalCli({ cacheDir, searchPath: `${empty}:${bin}` })).toEqual({
    path: onPath,
    source: 'PATH',
  })
  expect(await findTemporalCli({ cacheDir, searchPath: empty })).toEqual({ path: cached, source: 'cache' })
})

test('a temporal on PATH that does not run is passed over, and progress says why', async () => {
  await fakeProgram(join(bin, 'temporal'), 'echo "cannot execute binary file" >&2; exit 126')
  const cached = await fakeTemporal(join(cacheDir, 'temporal-cli-1.5.1', 'temporal'))
  const onProgress = vi.fn<(message: string) => void>()

  expect(await findTemporalCli({ cacheDir, searchPath: bin, onProgress })).toMatchObject({ path: cached })
  expect(onProgress.mock.calls.flat()).toEqual([
    'Temporal CLI: not by PATH: cannot execute binary file',
    `Temporal CLI: ${cached} (cache)`,
  ])
})

test('what the SDK downloads is found under the name that the SDK gives it', async () => {
  const directory = await temporaryDirectory()
  const downloaded = join(directory, 'temporal-v1.5.1')
  await symlink(await realTemporalCli(), downloaded) // the SDK takes a fresh file of that name for its download

  expect(await downloadBySdk('createLocal', 'v1.5.1', directory)).toBe(downloaded)
})

test('go install is the last way; it fills the cache for the next time and leaves nothing else there', async () => {
  await fakeGo(bin, '1.25.0', BUILD_TEMPORAL)
  const onProgress = vi.fn<(message: string) => void>()

  const path = join(cacheDir, 'temporal-cli-1.5.1', 'temporal')
  expect(await findTemporalCli({ cacheDir, searchPath: bin, onProgress })).toEqual({
    path,
    source: 'go install',
  })
  expect(onProgress.mock.calls.flat()).toEqual([
    'Temporal CLI: not by PATH: no temporal on PATH',
    expect.stringContaining('not by cache'),
    expect.stringContaining('downloading version 1.5.1 from temporal.download'),
    expect.stringContaining('not by download: Failed to start ephemeral server: failed to download'),
    expect.stringContaining('building version 1.5.1 with go install'),
    'go install: 0 s, 1 modules downloaded, 0 packages compiled',
    `Temporal CLI: ${path} (go install)`,
  ])
  expect(await findTemporalCli({ cacheDir, searchPath: bin })).toEqual({ path, source: 'cache' })
  expect(await readdir(cacheDir)).toEqual(['temporal-cli-1.5.1'])
})

test('a build that fails or builds something broken leaves the cache empty', async () => {
  for (const build of [
    'echo half > "$GOBIN/temporal"; exit 1',
    'echo half > "$GOBIN/temporal"; /bin/chmod 755 "$GOBIN/temporal"',
  ]) {
    await fakeGo(bin, '1.25.0', build)
    await expect(findTemporalCli({ cacheDir, searchPath: bin })).rejects.toThrow('go install: ')
    expect(await readdir(cacheDir)).toEqual([])
  }
})

test('a broken program in the cache is replaced', async () => {
  const path = await fakeProgram(join(cacheDir, 'temporal-cli-1.5.1', 'temporal'), 'exit 1')
  await fakeGo(bin, '1.25.0', BUILD_TEMPORAL)

  expect(await findTemporalCli({ cacheDir, searchPath: bin })).toEqual({ path, source: 'go install' })
  expect(await readFile(path, 'utf8')).toContain('temporal version built')
})

test('two searches that build at once both get a whole program', async () => {
  await fakeGo(bin, '1.26.1', BUILD_TEMPORAL)
  const find = () => findTemporalCli({ cacheDir, searchPath: bin })

  const [first, second] = await Promise.all([find(), find()])

  expect(first).toEqual(second)
  expect(await readdir(cacheDir)).toEqual(['temporal-cli-1.5.1'])
})

test('when no way works the error lists every way with its reason, and what the user can do', async () => {
  await fakeGo(bin, '1.24.6', BUILD_TEMPORAL)

  const error = await findTemporalCli({ cacheDir, searchPath: bin }).catch((reason: Error) => reason)

  expect(error).toMatchObject({ code: 'TEMPORAL_SERVER_NOT_FOUND' })
  const message = String(error)
  expect(message).toContain('- PATH: no temporal on PATH')
  expect(message).toContain(`- cache: ${join(cacheDir, 'temporal-cli-1.5.1', 'temporal')} does not exist`)
  expect(message).toMatch(/- download: .*\n.*error sending request for url \(https:\/\/temporal\.download/)
  expect(message).toContain(`- go install: ${join(bin, 'go')} is Go 1.24, needed is Go 1.25 or later`)
  for (const help of ['TEMPORAL_ADDRESS', 'SYNC_TEMPORAL_PATH', 'install Go 1.25'])
    expect(message).toContain(help)
})

test('aborting ends the search and its build, and leaves no half build', async () => {
  const started = join(bin, 'started')
  await fakeGo(bin, '1.25.0', `echo $$ > ${started}; exec /bin/sleep 60`)
  const controller = new AbortController()
  const reason = new Error('the user pressed Ctrl-C')
  const search = findTemporalCli({ cacheDir, searchPath: bin, signal: controller.signal }).catch(
    (error: unknown) => error,
  )
  await expect.poll(() => readFile(started, 'utf8').catch(() => ''), { timeout: 30_000 }).toMatch(/\d+\n/)

  controller.abort(reason)

  expect(await search).toBe(reason)
  await expect.poll(() => readFile(started, 'utf8').then((pid) => isAlive(Number(pid)))).toBe(false)
  expect(await readdir(cacheDir)).toEqual([])
})
