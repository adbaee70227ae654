import { pino, type Logger } from 'pino'

/** A logger that keeps every line. */
export function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  return { logger: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }), lines }
}
