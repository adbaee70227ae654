import type { ChangeOptions } from '../../client.js'

/** A change is the caller's, as the log names it; without tokens it is the process's. */
export function by(caller: string): ChangeOptions {
  return caller === '' ? {} : { actor: caller }
}
