import type { WaitingReason } from '../domain/delivery.js'
import type { Endpoint } from '../domain/endpoint.js'

/** How a delivery waits, in milliseconds. */
interface Turn {
  /** Where few wait. */
  intervalMs: number
  /** How far apart the retries of many are. */
  spacingMs: number
}

/**
 * Where the deliveries that wait for an endpoint get their turns: each after its interval, and however many
 * there are, one a while after the other. So a few are retried at the interval, and of thousands one every few
 * seconds in all.
 */
export interface RetryLine {
  /**
   * @param now milliseconds since the epoch
   * @returns how long the delivery waits for its turn, in milliseconds
   */
  enter(endpoint: Pick<Endpoint, 'name' | 'version'>, reason: WaitingReason, turn: Turn, now: number): number
  /** Forgets the turns that were given: what waits for this reason goes on at once. */
  clear(name: string, reason: WaitingReason): void
}

/** A line of so many turns beyond the interval is long: its first interval is used for turns too. */
const LONG_LINE_TURNS = 10

interface Line {
  /** The first turn after the line was empty. */
  start: number
  /** The last turn before that. */
  front: number
  last: number
  /** The longest interval so far; with jitter they differ, which makes no line long. */
  intervalMs: number
}

export function createRetryLine(): RetryLine {
  const lines = new Map<string, { version: string; byReason: Map<WaitingReason, Line> }>()
  return {
    enter: ({ name, version }, reason, turn, now) => {
      let known = lines.get(name)
      // Other settings have released what waits.
      if (known?.version !== version) {
        known = { version, byReason: new Map() }
        lines.set(name, known)
      }
      const line = known.byReason.get(reason)
      if (line !== undefined && line.last > now) return nextTurn(line, now, turn) - now
      const start = now + turn.intervalMs
      known.byReason.set(reason, { start, front: now, last: start, intervalMs: turn.intervalMs })
      return turn.intervalMs
    },
    clear: (name, reason) => void lines.get(name)?.byReason.delete(reason),
  }
}

function nextTurn(line: Line, now: number, { intervalMs, spacingMs }: Turn): number {
  const front = Math.max(line.front, now) + spacingMs
  line.intervalMs = Math.max(line.intervalMs, intervalMs)
  if (line.last > now + line.intervalMs + LONG_LINE_TURNS * spacingMs && front < line.start) {
    line.front = front
    return front
  }
  line.last = Math.max(now + intervalMs, line.last + spacingMs)
  return line.last
}
