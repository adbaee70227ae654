import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { InvalidInputError } from '../domain/errors.js'
import { showValue } from '../domain/parse-input.js'

/** Stands for standard input where a file is asked for. */
export const STANDARD_INPUT = '-'

/** How to speak of an input when it is refused. */
export interface NamedInput {
  /** The command. */
  subject: string
  /** The option or argument. */
  field: string
  /** Whether what is given may be a secret, so that it is never shown. */
  isSecret?: boolean
}

/**
 * Reads a file, or standard input for `-`.
 * @throws {InvalidInputError} where there is no such file
 */
export async function readSource(source: string, { subject, field, isSecret }: NamedInput): Promise<string> {
  if (source === STANDARD_INPUT) return text(process.stdin)
  try {
    return await readFile(source, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new InvalidInputError(subject, [
      {
        field,
        ...(!isSecret && { value: showValue(source) }),
        accepted: `a file that can be read (${code}), or - for standard input`,
      },
    ])
  }
}

/** @throws {InvalidInputError} where it is not JSON */
export function parseJson(json: string, { subject, field, isSecret }: NamedInput): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new InvalidInputError(subject, [
      { field, ...(!isSecret && { value: showValue(json) }), accepted: 'JSON' },
    ])
  }
}
