import { InvalidInputError } from '../domain/errors.js'

/** An event as it is named on the command line, and the arguments that follow. */
export interface EventArguments {
  type: string
  id: string
  others: string[]
}

/**
 * Reads `<type> <id> …` or `<type>/<id> …`.
 * @param otherNames the arguments that must follow
 * @throws {InvalidInputError} naming those that are missing or too many
 */
export function parseEventArguments(
  subject: string,
  given: readonly string[],
  otherNames: readonly string[] = [],
): EventArguments {
  const [first = '', ...rest] = given
  const slash = first.indexOf('/')
  const [type = '', id = '', ...others] =
    slash < 0 ? given : [first.slice(0, slash), first.slice(slash + 1), ...rest]
  if (others.length === otherNames.length) return { type, id, others }
  const names = otherNames.map((name) => ` <${name}>`).join('')
  throw new InvalidInputError(subject, [
    {
      field: 'arguments',
      value: given.join(' '),
      accepted: `<type> <id>${names}, or <type>/<id>${names}`,
    },
  ])
}
