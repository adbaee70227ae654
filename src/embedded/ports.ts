import { createServer, type AddressInfo } from 'node:net'
import { SyncError } from '../domain/errors.js'

/** What {@link choosePort} is to choose. */
export interface PortChoice {
  /** What the port is for, in the error message, such as `the Temporal server`. */
  purpose: string
  /** Must be free; `0` takes any free port. @default any free port, the preferred one first */
  requested: number | undefined
  /** Taken when it is free and none is requested. */
  preferred: number
}

/**
 * Chooses a TCP port on which `ip` can listen. Another process may still take it before it is used.
 *
 * @throws SyncError `TEMPORAL_SERVER_FAILED` when the requested port cannot be listened on
 */
export async function choosePort(ip: string, { purpose, requested, preferred }: PortChoice): Promise<number> {
  try {
    return await listenOnce(ip, requested ?? preferred)
  } catch (cause) {
    if (requested === undefined) return listenOnce(ip, 0)
    throw new SyncError(
      'TEMPORAL_SERVER_FAILED',
      `port ${requested} for ${purpose} cannot be listened on (${(cause as NodeJS.ErrnoException).code}); ` +
        'stop what uses it, ask for another port, or ask for none to get a free one',
      { cause },
    )
  }
}

function listenOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      const { port: chosen } = server.address() as AddressInfo
      server.close(() => resolve(chosen))
    })
  })
}
