import type { Command } from 'commander'
import { EXIT_HELP } from './exit-codes.js'

/** What `--help` says at its end. */
export interface HelpEnd {
  /** Command lines. */
  examples: readonly string[]
  /** Exit codes beside 0, 1 and 2. */
  exits?: readonly (keyof typeof EXIT_HELP)[]
}

/** Ends the help of a command with examples and its exit codes. */
export function withHelpEnd(command: Command, { examples, exits = [] }: HelpEnd): Command {
  const lines = examples.map((line) => `  $ ${line}`)
  const codes = ['0 done', '1 failed', '2 wrong usage', ...exits.map((name) => EXIT_HELP[name])]
  const end = ['', 'Examples:', ...lines, '', `Exit codes: ${codes.join(', ')}`]
  return command.addHelpText('after', end.join('\n'))
}
