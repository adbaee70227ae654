import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { addKey, openKeyFile } from '../../src/encryption/key-file.js'
import { startMessagingProgram } from '../support/messaging-program.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const CONTEXT = { purpose: 'a test', associatedData: '' }

test('the first use makes a key that only the owner can read, and the next ones find it', async () => {
  const folder = join(await temporaryFolder(), 'data')
  const file = join(folder, 'encryption-keys')

  const { ids } = openKeyFile(file)

  expect(ids).toHaveLength(1)
  expect(openKeyFile(file).ids).toEqual(ids)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect(await readdir(folder)).toEqual(['encryption-keys'])
})

test('6 processes that need the key at the same moment all get the same one', async () => {
  const file = join(await temporaryFolder(), 'encryption-keys')
  const programs = Array.from({ length: 6 }, () =>
    startMessagingProgram(new URL('fixtures/open-key-file.ts', import.meta.url), [file]),
  )
  for (const program of programs) await program.next()
  for (const program of programs) program.send('go')

  const ids = new Set(await Promise.all(programs.map((program) => program.next())))
  expect([...ids]).toEqual([openKeyFile(file).currentId])
})

test('a key that is added encrypts from now on, and a ring that is open already finds it', async () => {
  const file = join(await temporaryFolder(), 'encryption-keys')
  const open = openKeyFile(file)
  const { id } = addKey(file)

  const sealed = openKeyFile(file).seal(Buffer.from('text'), CONTEXT)
  expect(sealed.keyId).toBe(id)
  expect(Buffer.from(open.unseal(sealed, CONTEXT)).toString()).toBe('text')
  expect(openKeyFile(file).ids).toEqual([id, expect.any(String)])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('a file that holds no keys, or a part of one, is a clear error that shows nothing of it', async () => {
  const file = join(await temporaryFolder(), 'encryption-keys')
  openKeyFile(file)
  const whole = await readFile(file, 'utf8')

  for (const content of ['', 'sEcReT', whole.slice(0, -8)]) {
    await writeFile(file, content)
    expect(() => openKeyFile(file)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(file) }),
    )
    expect(() => openKeyFile(file)).not.toThrow(/sEcReT/)
  }
})

test('while one process adds a key, another one is refused, so that no key is lost', async () => {
  const file = join(await temporaryFolder(), 'encryption-keys')
  openKeyFile(file)
  await writeFile(`${file}.next`, '')

  expect(() => addKey(file)).toThrow(
    expect.objectContaining({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining(`${file}.next`) }),
  )
})

test('a file that cannot be made names the path', () => {
  expect(() => openKeyFile('/sys/external-sync/encryption-keys')).toThrow(
    expect.objectContaining({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('/sys/external-sync/encryption-keys'),
    }),
  )
})
