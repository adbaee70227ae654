import { SyncError } from '../domain/errors.js'

/** Carries an error through `answering` that is not the database's. */
class NotOfTheDatabase extends Error {}

/**
 * Runs work on a database; whatever the database throws becomes `STORE_UNAVAILABLE`.
 * @param work gets a function for calls whose own errors pass as they are
 */
export async function answering<T>(
  location: string,
  work: (asIs: <R>(call: () => R) => R) => Promise<T>,
): Promise<T> {
  try {
    return await work(asIs)
  } catch (error) {
    if (error instanceof NotOfTheDatabase) throw error.cause
    throw error instanceof SyncError ? error : storeUnavailable(location, error)
  }
}

/** A password that the error may quote in its cause is not in its message. */
export function storeUnavailable(
  location: string,
  error: unknown,
  { problem = 'does not answer', help = 'nothing is lost, and it is asked again when it is needed' } = {},
): SyncError {
  return new SyncError(
    'STORE_UNAVAILABLE',
    `the endpoint store ${location} ${problem}: ${reasonOf(error)}; ${help}`,
    { cause: error },
  )
}

function asIs<R>(call: () => R): R {
  try {
    return call()
  } catch (cause) {
    throw new NotOfTheDatabase('', { cause })
  }
}

/** Where several addresses were tried, the error itself says nothing. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}
