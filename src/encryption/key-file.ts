import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { SyncError } from '../domain/errors.js'
import { formatKeys, generateKey, KeyRing, parseKeys, type EncryptionKey } from './key-ring.js'

/**
 * The keys of a file that only its owner can read; makes it with one new key where there is none. A key that
 * another process adds later is found when it is needed.
 * @throws {InvalidInputError} where the file holds no keys
 * @throws {SyncError} `STORE_UNAVAILABLE` where it cannot be read or made
 */
export function openKeyFile(file: string): KeyRing {
  return new KeyRing(readOrMake(file), () => read(file))
}

/**
 * Puts a new key in front, which encrypts from now on, and keeps the others.
 * @throws {SyncError} `STORE_UNAVAILABLE` where another process does so at this moment: a key must not get lost
 */
export function addKey(file: string): EncryptionKey {
  readOrMake(file)
  const key = generateKey()
  const next = `${file}.next`
  claim(next, file)
  try {
    writeFileSync(next, `${formatKeys([key, ...read(file)])}\n`, { flush: true })
    renameSync(next, file)
    return key
  } catch (error) {
    rmSync(next, { force: true })
    throw unavailable(file, error)
  }
}

/** Makes the file of the next keys, which one process at a time can. */
function claim(next: string, file: string): void {
  try {
    writeFileSync(next, '', { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw unavailable(file, error)
    throw new SyncError(
      'STORE_UNAVAILABLE',
      `another process adds a key to ${file}, or was stopped while it did; where none runs, remove ${next}`,
      { cause: error },
    )
  }
}

function readOrMake(file: string): EncryptionKey[] {
  try {
    return read(file)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw unavailable(file, error)
  }
  try {
    return make(file)
  } catch (error) {
    throw unavailable(file, error)
  }
}

/** Of several processes at once, the first one's key stays: a link is made as a whole or not at all. */
function make(file: string): EncryptionKey[] {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, `${formatKeys([generateKey()])}\n`, { mode: 0o600, flag: 'wx', flush: true })
  try {
    linkSync(draft, file)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    rmSync(draft)
  }
  return read(file)
}

function read(file: string): EncryptionKey[] {
  return parseKeys(readFileSync(file, 'utf8').trim(), file)
}

function unavailable(file: string, cause: unknown): unknown {
  if (cause instanceof SyncError) return cause
  return new SyncError(
    'STORE_UNAVAILABLE',
    `the key file ${file} could not be read or made: ${cause instanceof Error ? cause.message : String(cause)}; ` +
      'expected a file that this process may read (SYNC_DATA_DIR), or keys in SYNC_ENCRYPTION_KEYS',
    { cause },
  )
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
