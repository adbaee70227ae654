import jsonata from 'jsonata'

/**
 * What is wrong with a JSONata expression (https://docs.jsonata.org), in JSONata's own words; undefined where
 * nothing is. Only its syntax can be checked before there is an event.
 */
export function expressionProblem(expression: string): string | undefined {
  try {
    jsonata(expression)
    return undefined
  } catch (error) {
    return describeJsonataError(error)
  }
}

/** JSONata throws plain objects with a message and, for syntax, a position. */
export function describeJsonataError(error: unknown): string {
  if (error instanceof RangeError) {
    return error.message.includes('call stack') ? 'it is nested too deeply' : 'it makes something too large'
  }
  if (typeof error !== 'object' || error === null || !('message' in error)) return 'it failed'
  const position = 'position' in error && typeof error.position === 'number' ? error.position : undefined
  const message = String(error.message).slice(0, MAX_MESSAGE_LENGTH)
  return position === undefined ? message : `${message} (at character ${position})`
}

/** JSONata's messages quote values of any length. */
const MAX_MESSAGE_LENGTH = 300
