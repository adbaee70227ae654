import type { Endpoint } from '../domain/endpoint.js'

/** Gives attempts turns, so that an endpoint gets no more of them in a second than it may from this process. */
export interface RateLimiter {
  /** @returns when the attempt may be made, in milliseconds since the epoch: at once, or at a turn of its own */
  nextTurn(endpoint: Pick<Endpoint, 'name' | 'version'>, perSecond: number, now: number): number
}

/** What was not used is saved up for so long, in milliseconds: tasks that the server paces come unevenly. */
const BURST_MS = 1_000

export function createRateLimiter(): RateLimiter {
  const next = new Map<string, { version: string; at: number }>()
  return {
    nextTurn: ({ name, version }, perSecond, now) => {
      const known = next.get(name)
      // A limit that was raised is in force at once.
      const at = Math.max(now - BURST_MS, known?.version === version ? known.at : now)
      next.set(name, { version, at: at + 1_000 / perSecond })
      return at
    },
  }
}
