#!/usr/bin/env node
import { Command } from 'commander'
import { codecCommand } from './cli/codec.js'
import { deliveriesCommand } from './cli/deliveries.js'
import { doctorCommand } from './cli/doctor.js'
import { emitCommand } from './cli/emit.js'
import { endpointsCommand } from './cli/endpoints.js'
import { eventsCommand } from './cli/events.js'
import { keysCommand } from './cli/keys.js'
import { migrateCommand } from './cli/migrate.js'
import { endWithReader } from './cli/output.js'
import { reportError, throwUsageErrors } from './cli/output-error.js'
import { serveCommand } from './cli/serve.js'
import { replayCommand } from './cli/replay.js'
import { setupCommand } from './cli/setup.js'
import { startCommand } from './cli/start.js'
import { tokensCommand } from './cli/tokens.js'
import { workerCommand } from './cli/worker.js'
import { packageVersion } from './package-version.js'

const program = new Command('external-sync')
  .description('Durable real-time sync of events to external HTTP systems, on Temporal')
  .version(packageVersion)
  .addCommand(startCommand())
  .addCommand(workerCommand())
  .addCommand(serveCommand())
  .addCommand(tokensCommand())
  .addCommand(endpointsCommand())
  .addCommand(emitCommand())
  .addCommand(eventsCommand())
  .addCommand(deliveriesCommand())
  .addCommand(replayCommand())
  .addCommand(keysCommand())
  .addCommand(migrateCommand())
  .addCommand(codecCommand())
  .addCommand(setupCommand())
  .addCommand(doctorCommand())

throwUsageErrors(program)
endWithReader()
try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = reportError(error)
}
