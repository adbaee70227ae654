import { z } from 'zod'

/** What an option may be that counts something: from 1 to `most`. */
export function wholeNumberUpTo(most: number) {
  return z.number('a number').int('a whole number').min(1, 'at least 1').max(most, `at most ${most}`)
}
