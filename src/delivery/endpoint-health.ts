import type { Endpoint } from '../domain/endpoint.js'
import { untilCalled } from '../until-called.js'
import type { Verdict } from './classify.js'

/** A slower endpoint would hold up workflow tasks, in milliseconds. */
const QUICK_MS = 1_000

/** When an endpoint is down: after so many failures in a row … */
const DOWN_AFTER_FAILURES = 5
/** … over at least so long, in milliseconds, so that a burst which fails at once is not an outage yet. */
const DOWN_AFTER_MS = 10_000

/** An endpoint hangs that has answered none of so many attempts … */
const HANGS_WITH_ATTEMPTS = 5
/** … for so long, in milliseconds … */
const HANGS_AFTER_MS = 5_000
/** … or for so long, where it is silent … */
export const SILENT_HANGS_AFTER_MS = 1_000
/** … or for so long and twice as long as its last answer took, where a crowd waits for it. */
const CROWD_HANGS_AFTER_MS = 250
/** So many deliveries; of one worker's workflow tasks (`worker-tuning.ts`) they would hold a third. */
const CROWD = 30

/** A delivery that goes to make a probe has so long to begin it, in milliseconds, before another one goes. */
const PROBE_BEGINS_WITHIN_MS = 1_000

/** A probe may come early by this part of the spacing: timers are not exact, the average is. */
const PROBE_TOLERANCE = 0.5

/** Between two releases of one endpoint, in milliseconds, so that one which fails now and then has few. */
const RELEASE_SPACING_MS = 10_000

type ObservedEndpoint = Pick<Endpoint, 'name' | 'version'>

/** An attempt that has ended. */
interface ObservedAttempt {
  verdict: Verdict
  /** Whether there was an answer, whatever it said. */
  isAnswered: boolean
  /** Milliseconds since the epoch. */
  startedAt: number
  durationMs: number
  /** Whether its delivery had waited as `down`: others may wait still. */
  hasWaited: boolean
}

/**
 * What this worker has lately seen of each endpoint.
 *
 * up ──5 failures in a row over 10 s──▶ down ──a delivery, or the rejection of an event──▶ up
 *    ──at its limit, and 5 attempts without an answer for 5 s, or for 1 s where it is silent──▶ down
 *    ──30 deliveries that wait for its answers, and 5 attempts without one for 250 ms──▶ down
 *
 * While an endpoint is down, one attempt every few seconds probes it. It is silent until it has answered, and after an
 * attempt that took long and had no answer: how many attempts it takes at a time is not known then. Other settings are
 * another endpoint.
 * Times are milliseconds since the epoch.
 */
export interface EndpointHealth {
  /** An attempt begins; the function that is returned is called when it has ended, however it did. */
  begin(endpoint: ObservedEndpoint, now: number): () => void
  /** @returns whether others that wait as `down` should go on now */
  observe(endpoint: ObservedEndpoint, attempt: ObservedAttempt): boolean
  /** Whether the last attempt delivered quickly, or none has been made. */
  isQuick(name: string): boolean
  isDown(endpoint: ObservedEndpoint): boolean
  isSilent(endpoint: ObservedEndpoint): boolean
  /** Resolves when the next attempt has been observed, or after `timeoutMs`. */
  untilObserved(endpoint: ObservedEndpoint, timeoutMs: number): Promise<void>
  /**
   * Whether an endpoint answers none of its attempts; then it is down. It matters at its limit, where what waits for a
   * turn would ask again and again, each time at the server's cost; and where so many deliveries wait for its answers
   * that they would leave the worker no place for those of others.
   */
  hangs(endpoint: ObservedEndpoint, now: number, isAtLimit: boolean): boolean
  /** Whether an attempt may be made of an endpoint that is down. */
  isProbeDue(endpoint: ObservedEndpoint, now: number): boolean
  /** The same, of a delivery that goes to make it; others are told no until it has had time to begin. */
  goesToProbe(endpoint: ObservedEndpoint, now: number): boolean
  /** An attempt is made of an endpoint that is down: the next is due `spacingMs` later. */
  probe(endpoint: ObservedEndpoint, spacingMs: number, now: number): void
  /** A delivery was made to wait because the endpoint is down. */
  keepWaiting(endpoint: ObservedEndpoint): void
  /** Those that wait could not be told: the next success should tell them. */
  forgetRecovery(endpoint: ObservedEndpoint): void
}

interface Observed {
  version: string
  isDown: boolean
  failures: number
  /** When the first of the failures in a row began. */
  failingSince: number
  nextProbeAt: number
  probeSpacingMs: number
  wentToProbeAt: number
  /** Whether a success would be news: none was seen yet, or none since the last failure. */
  isUnproven: boolean
  keepsWaiting: boolean
  releasedAt: number
  /** When the attempts that are under way began. */
  underWay: Set<{ startedAt: number }>
  /** When it took an event last. */
  succeededAt: number
  /** How long its last answer took. */
  answeredInMs: number
  isSilent: boolean
  /** Called at the next observation. */
  waiters: Set<() => void>
}

export function createEndpointHealth(): EndpointHealth {
  const slowOrFailing = new Set<string>()
  const observed = new Map<string, Observed>()

  return {
    begin: (endpoint, now) => {
      const { underWay } = of(endpoint)
      const attempt = { startedAt: now }
      underWay.add(attempt)
      return () => void underWay.delete(attempt)
    },
    observe: (endpoint, { verdict, isAnswered, startedAt, durationMs, hasWaited }) => {
      if (verdict.kind === 'delivered' && durationMs <= QUICK_MS) slowOrFailing.delete(endpoint.name)
      else slowOrFailing.add(endpoint.name)
      const seen = of(endpoint)
      // What fails at once holds nothing up.
      seen.isSilent = !isAnswered && durationMs > QUICK_MS
      if (isAnswered) seen.answeredInMs = durationMs
      for (const wake of seen.waiters) wake()
      const endedAt = startedAt + durationMs
      if (verdict.kind === 'retry') {
        fail(seen, startedAt, endedAt)
        return false
      }
      // Whoever rejects an event is up; wrong settings are a reason of their own to wait.
      if (verdict.kind === 'wait' && verdict.reason === 'misconfigured') return false
      return succeed(seen, endedAt, hasWaited)
    },
    isQuick: (name) => !slowOrFailing.has(name),
    isDown: (endpoint) => of(endpoint).isDown,
    isSilent: (endpoint) => of(endpoint).isSilent,
    untilObserved: (endpoint, timeoutMs) => {
      const { waiters } = of(endpoint)
      return untilCalled(timeoutMs, (call) => {
        waiters.add(call)
        return () => waiters.delete(call)
      })
    },
    hangs: (endpoint, now, isAtLimit) => {
      const seen = of(endpoint)
      // One that is down gets only probes, and what an operator wants.
      const isCrowd = !seen.isDown && seen.underWay.size + seen.waiters.size >= CROWD
      if (!isAtLimit && !isCrowd) return false
      const patienceMs = seen.isSilent ? SILENT_HANGS_AFTER_MS : HANGS_AFTER_MS
      const crowdMs = Math.max(CROWD_HANGS_AFTER_MS, 2 * seen.answeredInMs)
      const afterMs = isCrowd ? Math.min(patienceMs, crowdMs) : patienceMs
      const unanswered = [...seen.underWay].filter(
        ({ startedAt }) => startedAt <= now - afterMs && startedAt > seen.succeededAt,
      )
      if (unanswered.length < HANGS_WITH_ATTEMPTS) return false
      seen.isDown = true
      seen.isUnproven = true
      return true
    },
    isProbeDue: (endpoint, now) => isProbeDue(of(endpoint), now),
    goesToProbe: (endpoint, now) => {
      const seen = of(endpoint)
      if (!isProbeDue(seen, now) || now < seen.wentToProbeAt + PROBE_BEGINS_WITHIN_MS) return false
      seen.wentToProbeAt = now
      return true
    },
    probe: (endpoint, spacingMs, now) => {
      const seen = of(endpoint)
      seen.probeSpacingMs = spacingMs
      seen.nextProbeAt = Math.max(now, seen.nextProbeAt) + spacingMs
    },
    keepWaiting: (endpoint) => {
      of(endpoint).keepsWaiting = true
    },
    forgetRecovery: (endpoint) => {
      Object.assign(of(endpoint), { isUnproven: true, keepsWaiting: true, releasedAt: -Infinity })
    },
  }

  function of({ name, version }: ObservedEndpoint): Observed {
    const known = observed.get(name)
    if (known?.version === version) return known
    const unknown: Observed = {
      version,
      isDown: false,
      failures: 0,
      failingSince: 0,
      nextProbeAt: -Infinity,
      probeSpacingMs: 0,
      wentToProbeAt: -Infinity,
      isUnproven: true,
      keepsWaiting: false,
      releasedAt: -Infinity,
      underWay: new Set(),
      succeededAt: -Infinity,
      answeredInMs: 0,
      isSilent: true,
      waiters: new Set(),
    }
    observed.set(name, unknown)
    return unknown
  }

  function isProbeDue({ nextProbeAt, probeSpacingMs }: Observed, now: number): boolean {
    return now >= nextProbeAt - probeSpacingMs * PROBE_TOLERANCE
  }

  function fail(seen: Observed, startedAt: number, endedAt: number): void {
    if (seen.failures === 0) seen.failingSince = startedAt
    seen.failures += 1
    seen.isUnproven = true
    seen.isDown ||= seen.failures >= DOWN_AFTER_FAILURES && endedAt - seen.failingSince >= DOWN_AFTER_MS
  }

  function succeed(seen: Observed, endedAt: number, hasWaited: boolean): boolean {
    seen.failures = 0
    seen.isDown = false
    seen.succeededAt = endedAt
    seen.nextProbeAt = -Infinity
    if (!seen.isUnproven) return false
    const isDue = seen.keepsWaiting || hasWaited
    if (isDue && endedAt - seen.releasedAt < RELEASE_SPACING_MS) return false
    seen.isUnproven = false
    seen.keepsWaiting = false
    if (isDue) seen.releasedAt = endedAt
    return isDue
  }
}
