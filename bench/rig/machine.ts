import { statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, platform, release, tmpdir, totalmem } from 'node:os'
import { runCommand } from '../../dist/embedded/run-command.js'
import { temporalCliPath } from './temporal.js'

const BYTES_PER_GIB = 1024 ** 3

/** `f_type` of file systems on Linux (statfs(2)); on `tmpfs` durability costs nothing, which flatters. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x794c7630: 'overlayfs',
  0x01021994: 'tmpfs',
}

/** Where and with what was measured. */
export interface Environment {
  cpu: string
  cores: number
  memoryGib: number
  system: string
  /** Of the folder that holds the data of each trial. */
  fileSystem: string
  node: string
  temporalSdk: string
  temporalCli: string
}

export async function describeEnvironment(): Promise<Environment> {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string }
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round((10 * totalmem()) / BYTES_PER_GIB) / 10,
    system: `${platform()} ${release()}`,
    fileSystem: FILE_SYSTEMS[statfsSync(tmpdir()).type] ?? 'another file system',
    node: process.version,
    temporalSdk: version,
    temporalCli: (await runCommand(await temporalCliPath(), ['--version'])).trim(),
  }
}
