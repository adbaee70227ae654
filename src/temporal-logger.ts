import type { Logger as TemporalLogger, LogLevel, LogMetadata } from '@temporalio/worker'
import type { Logger } from './logger.js'

const LEVELS: Readonly<Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'debug',
  WARN: 'warn',
  ERROR: 'error',
}

/** Temporal's own messages in this project's log; its routine ones, which it calls INFO, are details here. */
export function temporalLogger(logger: Logger): TemporalLogger {
  const log = (level: LogLevel, message: string, meta: LogMetadata = {}): void => {
    const { error, ...rest } = meta
    logger[LEVELS[level]](
      { ...rest, ...(error !== undefined && { err: error }), component: 'temporal' },
      message,
    )
  }
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  }
}
