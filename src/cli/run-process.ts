import { Runtime } from '@temporalio/worker'
import { loadConfig, type Config } from '../config.js'
import { createLogger, type Logger } from '../logger.js'
import { startMetricsServer } from '../metrics/metrics-server.js'
import { createMetrics, type Metrics } from '../metrics/metrics.js'
import { openSdkMetrics } from '../metrics/sdk-metrics.js'
import { stopSignal } from '../stop-signal.js'
import { temporalLogger } from '../temporal-logger.js'
import { exportSpans } from '../tracing/export-spans.js'

/** What every process that runs until it is stopped has. */
export interface Process {
  config: Config
  logger: Logger
  metrics: Metrics
  /** Aborted when it should stop. */
  signal: AbortSignal
}

/** Runs a process that can be watched: its log, its metrics at `SYNC_METRICS_ADDRESS`, its spans by `OTEL_*`. */
export async function runProcess(work: (process: Process) => Promise<void>): Promise<void> {
  const config = loadConfig(process.env)
  const logger = createLogger(config.logLevel ?? 'info')
  const signal = stopSignal()
  const sdk = await openSdkMetrics()
  Runtime.install({
    logger: temporalLogger(logger),
    shutdownSignals: [],
    telemetryOptions: sdk.telemetryOptions,
  })
  const metrics = createMetrics(sdk.text)
  const stopExport = await exportSpans(process.env, logger)
  try {
    const { metricsAddress } = config
    const server = metricsAddress && (await startMetricsServer(metrics, metricsAddress))
    if (server !== undefined) logger.info({ url: server.url }, 'metrics are served')
    try {
      await work({ config, logger, metrics, signal })
    } finally {
      await server?.stop()
    }
  } finally {
    await stopExport()
  }
  // Its last line, so that whoever finds it gone sees whether it was told to stop.
  if (signal.aborted) logger.info('stopped')
}
