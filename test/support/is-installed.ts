import { spawnSync } from 'node:child_process'

/** Whether the machine has a command; tests that need one which it lacks are skipped. */
export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', command]).status === 0
}
