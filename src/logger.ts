import { pino, type Logger } from 'pino'
import type { LogLevel } from './config.js'

export type { Logger } from 'pino'

/** JSON lines on standard error, so that a program's own output stays its own. */
export function createLogger(level: LogLevel): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  )
}
