import { Command } from 'commander'
import { describeDatabase, loadConfig } from '../config.js'
import { openKeyRing } from '../encryption/open-key-ring.js'

export function migrateCommand(): Command {
  return new Command('migrate')
    .description('make or update the tables of the endpoint store at DATABASE_URL; safe to run again')
    .action(async () => {
      const config = loadConfig(process.env)
      const { database } = config
      const { migrateStore } = await import('../store/open-store.js')
      const done = await migrateStore({ database, keys: openKeyRing(config) })
      const result = done.length === 0 ? 'is up to date' : `is up to date after ${done.join(', ')}`
      process.stdout.write(`endpoint store ${describeDatabase(database)} ${result}\n`)
    })
}
