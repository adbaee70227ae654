#!/usr/bin/env node
import { isatty } from 'node:tty'
import { Command } from 'commander'
import pc from 'picocolors'
import { codecCommand } from './cli/codec.js'
import { endpointsCommand } from './cli/endpoints.js'
import { keysCommand } from './cli/keys.js'
import { migrateCommand } from './cli/migrate.js'
import { doctorCommand } from './cli/doctor.js'
import { serveCommand } from './cli/serve.js'
import { replayCommand } from './cli/replay.js'
import { setupCommand } from './cli/setup.js'
import { startCommand } from './cli/start.js'
import { tokensCommand } from './cli/tokens.js'
import { workerCommand } from './cli/worker.js'
import { SyncError } from './domain/errors.js'
import { packageVersion } from './package-version.js'

const program = new Command('external-sync')
  .description('Durable real-time sync of events to external HTTP systems, on Temporal')
  .version(packageVersion)
  .showHelpAfterError()
  .addCommand(startCommand())
  .addCommand(workerCommand())
  .addCommand(serveCommand())
  .addCommand(tokensCommand())
  .addCommand(endpointsCommand())
  .addCommand(replayCommand())
  .addCommand(keysCommand())
  .addCommand(migrateCommand())
  .addCommand(codecCommand())
  .addCommand(setupCommand())
  .addCommand(doctorCommand())

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof SyncError)) throw error
  const { red } = pc.createColors(isatty(process.stderr.fd) && pc.isColorSupported)
  process.stderr.write(`${red(error.code)} ${error.message}\n`)
  process.exitCode = 1
}
