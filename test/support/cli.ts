import { startProgram } from './program.js'

/** A command that has run to its end. */
export interface CommandResult {
  code: number | null
  /** Both streams. */
  output: string
}

/** Runs `external-sync` with these arguments, and with these variables in place of `SYNC_*` and `TEMPORAL_*`. */
export async function runCommand(
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variables }
  await using program = await startProgram(['dist/cli.js', ...args], env)
  const { code } = await program.exited
  return { code, output: program.output }
}
