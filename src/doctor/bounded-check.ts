import { setTimeout as sleep } from 'node:timers/promises'
import { SyncError } from '../domain/errors.js'
import { grpcStatus } from '../temporal/grpc-status.js'
import { error, type Finding } from './finding.js'

/**
 * Runs one check, and makes a finding of whatever it throws and of its taking too long.
 *
 * @param subject what is checked, for the case that the check breaks down
 */
export async function boundedCheck(
  subject: string,
  timeoutMs: number,
  check: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const ended = new AbortController()
  const timeout = sleep(timeoutMs, undefined, { signal: ended.signal }).then(
    () => [error(`${subject}: no answer within ${timeoutMs / 1_000} s`, 'see whether it is overloaded')],
    () => [],
  )
  try {
    return await Promise.race([check(), timeout])
  } catch (cause) {
    return [error(`${subject}: ${wordsOf(cause)}`)]
  } finally {
    ended.abort()
  }
}

/** A typed error is worded for users, and a server's status is its own; other words may quote anything. */
function wordsOf(cause: unknown): string {
  if (cause instanceof SyncError) return cause.message
  const status = grpcStatus(cause)
  if (status !== undefined) return `gRPC status ${status.code}`
  return `could not be checked (${cause instanceof Error ? cause.name : typeof cause})`
}
