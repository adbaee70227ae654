import { existsSync } from 'node:fs'
import { isatty } from 'node:tty'
import { Command } from 'commander'
import pc from 'picocolors'
import { describeDatabase, type Config } from '../config.js'
import { examine } from '../doctor/examine.js'
import { ok, warning, type Finding } from '../doctor/finding.js'
import { openStore } from '../store/open-store.js'

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'check Node, the configuration, Temporal, workers and the endpoint store; exits with 1 for a ✗',
    )
    .action(async () => {
      const statuses = new Set<Finding['status']>()
      await examine({ env: process.env, checkStore }, (finding) => {
        statuses.add(finding.status)
        printFinding(finding)
      })
      // A check that took too long may still hold something open, which would keep the process alive.
      process.stdout.write('', () => process.exit(statuses.has('error') ? 1 : 0))
    })
}

/** Opens the endpoint store, and makes none. */
async function checkStore({ database }: Config): Promise<readonly Finding[]> {
  const name = `endpoint store ${describeDatabase(database)}`
  if (database.kind !== 'sqlite') return [warning(`${name}: not checked`, 'see whether a worker starts')]
  if (!existsSync(database.file)) return [warning(`${name}: there is none yet`, 'a first worker makes it')]
  const store = await openStore(database.file)
  await store.close()
  return [ok(`${name}: opened`)]
}

function printFinding({ status, text, advice }: Finding): void {
  const { green, yellow, red } = pc.createColors(isatty(process.stdout.fd) && pc.isColorSupported)
  const sign = { ok: green('✓'), warning: yellow('!'), error: red('✗') }[status]
  process.stdout.write(`${sign} ${text}\n${advice === undefined ? '' : `  → ${advice}\n`}`)
}
