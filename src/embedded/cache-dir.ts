import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where downloaded and built programs are kept between runs: `SYNC_CACHE_DIR`, else
 * `$XDG_CACHE_HOME/external-sync`, else `~/.cache/external-sync`. An empty variable counts as absent.
 */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>>): string {
  if (env['SYNC_CACHE_DIR']) return env['SYNC_CACHE_DIR']
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'external-sync')
}
