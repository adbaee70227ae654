import { Command } from 'commander'
import type { Finding } from '../doctor/finding.js'
import { colorsFor } from './output.js'

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'check Node, the configuration, Temporal, workers and the endpoint store; exits with 1 for a ✗',
    )
    .action(async () => {
      const statuses = new Set<Finding['status']>()
      const [{ examine }, { checkStore }] = await Promise.all([
        import('../doctor/examine.js'),
        import('../doctor/store-check.js'),
      ])
      await examine({ env: process.env, checkStore }, (finding) => {
        statuses.add(finding.status)
        printFinding(finding)
      })
      // A check that took too long may still hold something open, which would keep the process alive.
      process.stdout.write('', () => process.exit(statuses.has('error') ? 1 : 0))
    })
}

function printFinding({ status, text, advice }: Finding): void {
  const { green, yellow, red } = colorsFor(process.stdout)
  const sign = { ok: green('✓'), warning: yellow('!'), error: red('✗') }[status]
  process.stdout.write(`${sign} ${text}\n${advice === undefined ? '' : `  → ${advice}\n`}`)
}
