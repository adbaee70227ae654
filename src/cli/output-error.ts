import { CommanderError, type Command } from 'commander'
import { InvalidInputError, SyncError } from '../domain/errors.js'
import { EXIT, exitCodeOf } from './exit-codes.js'
import { colorsFor, isJsonWanted, note } from './output.js'

/**
 * Says on one line what failed, as JSON where that was asked for.
 * @returns the exit code
 * @throws what is no error of this package, which is a fault to be reported with its stack
 */
export function reportError(error: unknown): number {
  if (error instanceof CommanderError) return reportUsageError(error)
  if (!(error instanceof SyncError)) throw error
  const { code, message } = error
  const problems = error instanceof InvalidInputError ? { problems: error.problems } : {}
  if (isJsonWanted()) printError({ code, message, ...problems })
  else note(`${colorsFor(process.stderr).red(code)} ${message}`)
  return exitCodeOf(error)
}

/** Lets usage errors of a command, and of those in it, reach {@link reportError}, with a hint at its help. */
export function throwUsageErrors(command: Command): void {
  command.exitOverride()
  if (isJsonWanted()) {
    command.configureOutput({ outputError: () => undefined })
  } else {
    command
      .configureOutput({ outputError: (text, write) => write(withoutValues(text)) })
      .showHelpAfterError(`See ${pathOf(command)} --help`)
  }
  for (const child of command.commands) throwUsageErrors(child)
}

/** Commander has told people already. */
function reportUsageError({ exitCode, message }: CommanderError): number {
  if (exitCode === 0) return 0
  if (isJsonWanted()) printError({ code: 'INVALID_INPUT', message: withoutValues(message) })
  return EXIT.usage
}

function printError(error: Pick<SyncError, 'code' | 'message'>): void {
  process.stderr.write(`${JSON.stringify(error)}\n`)
}

/** The value of an option that is spelled wrongly may be a secret. */
function withoutValues(message: string): string {
  return message.replace(/(unknown option '[^=]*=)[^]*?'(?=\n|$)/, "$1…'")
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
