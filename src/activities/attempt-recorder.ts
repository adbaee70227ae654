import type { Logger } from '../logger.js'
import {
  mergeLatest,
  type AttemptBatch,
  type AttemptMinute,
  type AttemptRecords,
  type LatestAttempts,
} from '../store/attempt-records.js'
import type { ObservedAttempt } from './attempt.js'

const MINUTE_MS = 60_000

/** The shortest time between two writes, in milliseconds. */
const WRITE_SPACING_MS = 5_000

/** After a quiet time, how long the first attempt waits for others to be written with it, in milliseconds. */
const GATHER_MS = 500

/** Endpoints' minutes that are kept in memory while the database is away; more are forgotten. */
const MAX_KEPT = 10_000

/** What of an attempt is counted. */
type CountedAttempt = Pick<ObservedAttempt, 'endpoint' | 'outcome' | 'startedAt' | 'durationMs'>

interface RecorderOptions {
  attempts: AttemptRecords
  logger: Logger
  /** @default 5000 */
  writeSpacingMs?: number
}

/** Counts a worker's attempts for those who look. */
export interface AttemptRecorder {
  /** Counts in memory. */
  observe(attempt: CountedAttempt): void
  /** Writes what is left. */
  close(): Promise<void>
}

/**
 * Counts attempts in memory, and adds them to the store's records in one small write each five seconds at most,
 * where there were any. A write that fails is logged once and tried again with what follows; no delivery waits for it.
 */
export function createAttemptRecorder({
  attempts,
  logger,
  writeSpacingMs = WRITE_SPACING_MS,
}: RecorderOptions): AttemptRecorder {
  let minutes = new Map<string, AttemptMinute>()
  let latest = new Map<string, LatestAttempts>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let lastWriteAt = -Infinity
  let isFailing = false

  const write = async (): Promise<void> => {
    timer = undefined
    if (minutes.size === 0) return
    lastWriteAt = performance.now()
    const batch: AttemptBatch = { minutes: [...minutes.values()], latest: [...latest.values()] }
    const taken = { minutes, latest }
    minutes = new Map()
    latest = new Map()
    try {
      await attempts.add(batch)
      isFailing = false
    } catch (error) {
      if (!isFailing) logger.warn({ err: error }, 'attempts could not be counted; deliveries go on')
      isFailing = true
      if (taken.minutes.size + minutes.size <= MAX_KEPT) keep(taken)
    }
    if (minutes.size > 0) schedule()
  }

  const schedule = (): void => {
    const waitMs = Math.max(GATHER_MS, lastWriteAt + writeSpacingMs - performance.now())
    timer ??= setTimeout(() => {
      writing = writing.then(write)
    }, waitMs).unref()
  }

  /** What could not be written is written with what came since. */
  const keep = (taken: { minutes: typeof minutes; latest: typeof latest }): void => {
    for (const [key, since] of minutes) taken.minutes.set(key, sum(taken.minutes.get(key), since))
    for (const [name, since] of latest) taken.latest.set(name, followed(taken.latest.get(name), since))
    minutes = taken.minutes
    latest = taken.latest
  }

  return {
    observe: (attempt) => {
      count(minutes, attempt)
      note(latest, attempt)
      if (timer === undefined) schedule()
    },
    close: async () => {
      clearTimeout(timer)
      await writing
      await write()
      clearTimeout(timer)
    },
  }
}

function count(
  minutes: Map<string, AttemptMinute>,
  { endpoint, outcome, startedAt, durationMs }: CountedAttempt,
): void {
  const minute = Math.floor((startedAt + durationMs) / MINUTE_MS)
  const key = `${minute}/${endpoint}`
  let counted = minutes.get(key)
  if (counted === undefined) {
    counted = { minute, endpoint, delivered: 0, failed: 0, latencyMsSum: 0, latencyMsMax: 0 }
    minutes.set(key, counted)
  }
  if (outcome === 'delivered') {
    counted.delivered += 1
    counted.latencyMsSum += durationMs
    counted.latencyMsMax = Math.max(counted.latencyMsMax, durationMs)
  } else counted.failed += 1
}

function note(
  latest: Map<string, LatestAttempts>,
  { endpoint, outcome, startedAt, durationMs }: CountedAttempt,
): void {
  const at = startedAt + durationMs
  let noted = latest.get(endpoint)
  if (noted === undefined) {
    noted = { endpoint }
    latest.set(endpoint, noted)
  }
  if (outcome === 'delivered') {
    noted.deliveredAt = at
    noted.failingSince = undefined
  } else {
    noted.failedAt = at
    noted.failingSince ??= at
    noted.failure = outcome
  }
}

function sum(one: AttemptMinute | undefined, other: AttemptMinute): AttemptMinute {
  if (one === undefined) return other
  return {
    ...other,
    delivered: one.delivered + other.delivered,
    failed: one.failed + other.failed,
    latencyMsSum: one.latencyMsSum + other.latencyMsSum,
    latencyMsMax: Math.max(one.latencyMsMax, other.latencyMsMax),
  }
}

function followed(one: LatestAttempts | undefined, other: LatestAttempts): LatestAttempts {
  return one === undefined ? other : mergeLatest(one, other)
}
