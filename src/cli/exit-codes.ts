import { InvalidInputError, type SyncError, type SyncErrorCode } from '../domain/errors.js'

/** How a command ends, for scripts. */
export const EXIT = {
  failed: 1,
  /** An argument or an option is not accepted. */
  usage: 2,
  /** There is no such event, endpoint, replay or open delivery. */
  notFound: 3,
  /** The list is empty. */
  none: 4,
  /** What was sent was not delivered, or not yet. */
  undelivered: 5,
} as const

/** The exit codes that only some commands have, as their `--help` words them. */
export const EXIT_HELP = {
  notFound: '3 there is no such event, endpoint, replay or open delivery',
  none: '4 nothing to list',
  undelivered: '5 not delivered',
} as const

const NOT_FOUND: readonly SyncErrorCode[] = [
  'EVENT_NOT_FOUND',
  'ENDPOINT_NOT_FOUND',
  'DELIVERY_NOT_OPEN',
  'REPLAY_NOT_FOUND',
]

/** The exit code that says what failed. */
export function exitCodeOf(error: SyncError): number {
  if (NOT_FOUND.includes(error.code)) return EXIT.notFound
  const isUsage = error instanceof InvalidInputError && error.subject !== 'environment'
  return isUsage ? EXIT.usage : EXIT.failed
}
