import { z } from 'zod'

const ACCEPTED_CURSOR = 'a nextCursor of the page before'

const cursor = { description: '`nextCursor` of the page before. Default: the first page.' }

/** The cursor of a list whose pages begin anywhere. */
export const textCursor = z
  .string(ACCEPTED_CURSOR)
  .min(1, ACCEPTED_CURSOR)
  .max(4_000, ACCEPTED_CURSOR)
  .optional()
  .meta(cursor)

/** The cursor of a list whose pages begin at a number. */
export const countCursor = wholeNumber(1, 999_999_999, ACCEPTED_CURSOR).optional().meta(cursor)

/** A yes or no in a query. */
export const flag = z.enum(['true', 'false'], 'true or false').optional()

/** How many of a list a page has. */
export function limitUpTo(most: number, byDefault: number) {
  return wholeNumber(1, most)
    .optional()
    .meta({ description: `How many at most. Default: ${byDefault}.` })
}

/** Where the next page begins. */
export const nextCursor = z
  .string()
  .optional()
  .meta({ description: 'The `cursor` of the next page; absent on the last.' })

/** A number in a query. */
function wholeNumber(min: number, max: number, accepted = `a whole number from ${min} to ${max}`) {
  return z.coerce.number(accepted).int(accepted).min(min, accepted).max(max, accepted)
}

/** What is undefined is not there. */
type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

/** Leaves out what is undefined, which options of our own would not take for absent. */
export function definedIn<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>
}
