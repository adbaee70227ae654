import { makeTelemetryFilterString, Runtime } from '@temporalio/worker'
import { createLogger } from '../../dist/logger.js'
import { temporalLogger } from '../../dist/temporal-logger.js'

/** Prepares this process for a system of its own; once, before anything of Temporal is used. */
export function prepareProcess(): void {
  Runtime.install({
    logger: temporalLogger(createLogger('error')),
    // Its warnings of slow workflow tasks would be thousands under full load.
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
    },
    shutdownSignals: [],
  })
  // What was started ends with this process; its folders are removed at its exit.
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
}
