import { InvalidInputError } from '../../src/domain/errors.js'

/** The error that refuses an input; anything else that happens fails the test. */
export function refusalOf(refused: () => unknown): InvalidInputError {
  try {
    refused()
  } catch (error) {
    if (error instanceof InvalidInputError) return error
    throw error
  }
  throw new Error('expected an InvalidInputError, but the input was accepted')
}
