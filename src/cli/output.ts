import { isatty } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'

/** How to colour text; each leaves it as it is where colours are not wanted. */
export type Colors = ReturnType<typeof pc.createColors>

/** Colours on a terminal, unless `NO_COLOR` is set. */
export function colorsFor({ fd }: { fd: number }): Colors {
  return pc.createColors(isatty(fd) && pc.isColorSupported)
}

/** Whether the command was asked for JSON, which is known before its arguments are accepted. */
export function isJsonWanted(): boolean {
  return process.argv.includes('--json')
}

/** Prints a line of the answer. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Prints a JSON document on one line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}

/** Tells people what is not part of the answer, on standard error. */
export function note(line: string): void {
  if (!isJsonWanted()) process.stderr.write(`${line}\n`)
}

/** A number of deliveries, in words. */
export function countedDeliveries(count: number): string {
  return count === 1 ? '1 delivery' : `${count} deliveries`
}

/** Text of others on one line, without what would steer a terminal. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\p{Cc}+/gu, ' ')
}

/** Ends in silence when whoever reads the output has read enough, such as `head`. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
}
