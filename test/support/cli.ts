import { startProgram, type Program } from './program.js'

/** A command that has run to its end. */
export interface CommandResult {
  code: number | null
  /** Both streams. */
  output: string
  stdout: string
  stderr: string
}

/** Runs `external-sync` with these arguments, and with these variables in place of `SYNC_*` and `TEMPORAL_*`. */
export async function runCommand(
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<CommandResult> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variables }
  await using program = await startProgram(['dist/cli.js', ...args], env)
  return await resultOf(program)
}

/** Waits for the end of a command. */
export async function resultOf(program: Program): Promise<CommandResult> {
  const { code } = await program.closed
  const { output, stdout, stderr } = program
  return { code, output, stdout, stderr }
}

/** The JSON documents of an output, one on each line. */
export function jsonLines(output: string): unknown[] {
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}
