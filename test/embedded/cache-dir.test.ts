import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultCacheDir } from '../../src/embedded/cache-dir.js'

test('the cache is where SYNC_CACHE_DIR says', () => {
  expect(defaultCacheDir({ SYNC_CACHE_DIR: '/var/cache/sync', XDG_CACHE_HOME: '/xdg' })).toBe(
    '/var/cache/sync',
  )
})

test('without SYNC_CACHE_DIR the cache follows the XDG base directories', () => {
  expect(defaultCacheDir({ SYNC_CACHE_DIR: '', XDG_CACHE_HOME: '/xdg' })).toBe('/xdg/external-sync')
  for (const env of [{}, { XDG_CACHE_HOME: '' }]) {
    expect(defaultCacheDir(env)).toBe(join(homedir(), '.cache/external-sync'))
  }
})
