import type { WaitingReason } from '../domain/delivery.js'
import type { Endpoint } from '../domain/endpoint.js'

/**
 * Where the deliveries that wait for an endpoint get their turns: each after its interval, and however many
 * there are, one a while after the other. So a few are retried at the interval, and of thousands one every few
 * seconds in all.
 */
export interface RetryLine {
  /** @returns how long the delivery waits for its turn, in milliseconds */
  enter(
    endpoint: Pick<Endpoint, 'name' | 'version'>,
    reason: WaitingReason,
    turn: { intervalMs: number; spacingMs: number },
  ): number
  /** Forgets the turns that were given: what waits for this reason goes on at once. */
  clear(name: string, reason: WaitingReason): void
}

/** @param now the clock, in milliseconds since the epoch */
export function createRetryLine(now: () => number = Date.now): RetryLine {
  const lines = new Map<string, { version: string; last: Map<WaitingReason, number> }>()
  return {
    enter: ({ name, version }, reason, { intervalMs, spacingMs }) => {
      let line = lines.get(name)
      // Other settings have released what waits.
      if (line?.version !== version) {
        line = { version, last: new Map() }
        lines.set(name, line)
      }
      const last = line.last.get(reason) ?? -Infinity
      // A turn that has been leaves the next one free.
      const earliest = last <= now() ? -Infinity : last + spacingMs
      const turn = Math.max(now() + intervalMs, earliest)
      line.last.set(reason, turn)
      return turn - now()
    },
    clear: (name, reason) => void lines.get(name)?.last.delete(reason),
  }
}
