import type { z } from 'zod'
import { InvalidInputError, type InputProblem } from './errors.js'

const MAX_SHOWN_LENGTH = 80

/** How to speak of an input when it is refused. */
export interface InputDescription {
  /** What is being refused, such as `registerEndpoint("EMS-Scheduler")`. */
  subject: string
  /** A field whose own fields are named without it: `url` and not `settings.url`. */
  wrapper?: string
  /** Fields whose value is never shown. */
  sensitive?: readonly string[]
  /** Fields that hold a URL, of which only the origin is shown. */
  urls?: readonly string[]
}

/**
 * Parses `input` by `schema`. Every message of the schema says what would be accepted.
 * @throws {InvalidInputError} with all problems together
 */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown, description: InputDescription): T {
  const result = schema.safeParse(input, { reportInput: true })
  if (result.success) return result.data
  throw new InvalidInputError(
    description.subject,
    result.error.issues.flatMap((issue) => toProblems(issue, description)),
  )
}

/** A value as an error message shows it: JSON where it can be, shortened. */
export function showValue(value: unknown): string {
  let shown: string
  try {
    if (typeof value === 'bigint') shown = `${value}n`
    else shown = isShownAsText(value) ? String(value) : (JSON.stringify(value) ?? String(value))
  } catch {
    shown = `[${typeof value}]`
  }
  return shown.length > MAX_SHOWN_LENGTH
    ? `${shown.slice(0, MAX_SHOWN_LENGTH)}… (${shown.length} characters)`
    : shown
}

function toProblems(issue: z.core.$ZodIssue, description: InputDescription): InputProblem[] {
  const path = issue.path[0] === description.wrapper ? issue.path.slice(1) : issue.path
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: fieldName([...path, key]), accepted: 'no option of this name' }))
  }
  const [top] = path
  const problem: InputProblem = {
    field: path.length === 0 ? (description.wrapper ?? 'input') : fieldName(path),
    accepted: issue.message,
  }
  if (issue.input === undefined || isSecret(top, description)) return [problem]
  return [
    { ...problem, value: isListed(description.urls, top) ? showUrl(issue.input) : showValue(issue.input) },
  ]
}

/** Numbers and dates that JSON would show as `null`, or not at all. */
function isShownAsText(value: unknown): boolean {
  return typeof value === 'number' || (value instanceof Date && Number.isNaN(value.getTime()))
}

/** Whether a field is sensitive, or is the whole input and so may hold one that is. */
function isSecret(top: PropertyKey | undefined, { sensitive, urls }: InputDescription): boolean {
  return top === undefined ? sensitive !== undefined || urls !== undefined : isListed(sensitive, top)
}

function isListed(fields: readonly string[] | undefined, field: PropertyKey | undefined): boolean {
  return fields !== undefined && typeof field === 'string' && fields.includes(field)
}

/** A path as code spells it: `events[2]`, `headers.accept`. */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('')
}

function showUrl(value: unknown): string {
  if (typeof value !== 'string') return `(a value of type ${typeof value})`
  if (!URL.canParse(value)) return '(not a URL)'
  const { protocol, host } = new URL(value)
  return showValue(`${protocol}//${host}`)
}
