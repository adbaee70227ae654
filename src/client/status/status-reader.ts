import { z } from 'zod'
import { parseInput } from '../../domain/parse-input.js'
import {
  byUrgency,
  endpointStatus,
  mayWait,
  totalsOf,
  type EndpointFacts,
  type MinuteStatus,
  type StatusOverview,
} from '../../domain/status.js'
import { workflowIdOf } from '../../domain/workflow-id.js'
import { wholeNumberUpTo } from '../../domain/whole-number.js'
import type { AttemptMinute, LatestAttempts } from '../../store/attempt-records.js'
import { isUsable, type EndpointStore, type StoredEndpoint } from '../../store/endpoint-store.js'
import { listEvents, type EventStatus, type ListedEvent } from '../list-events.js'
import { createKnownEndpoints } from './known-endpoints.js'
import {
  countWaiting,
  scanWaiting,
  type ScanBounds,
  type ScanParts,
  type WaitingScan,
} from './waiting-scan.js'

const MINUTE_MS = 60_000
const SHOWN_MINUTES = 60
const SHOWN_EVENTS = 20
/** Workflows that are looked at for recent events: the parts of an event are several. */
const LOOK_AT = 100
/** Endpoints whose waiting deliveries are counted one by one, where a search does not show all. */
const MAX_COUNTED = 20

/** How old an answer may be, in milliseconds, and how many times longer than it took to find out. */
const MAX_AGE_MS = 1_500
const MAX_LOAD = 5

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 200

/** Which endpoints a status shows. */
export interface StatusOptions {
  /** Only those whose name has this in it, in whichever case. @default all */
  match?: string
  /** Endpoints at most, 200 at most; those in trouble first. @default 100 */
  limit?: number
}

/** How everything stands, a second or two ago. */
export interface SystemStatus extends StatusOverview {
  /** The latest events, the last accepted first. */
  events: ListedEvent[]
}

const optionsSchema = z.strictObject(
  {
    match: z
      .string('a part of a name')
      .min(1, 'a part of a name')
      .max(100, 'at most 100 characters')
      .optional(),
    limit: wholeNumberUpTo(MAX_LIMIT).default(DEFAULT_LIMIT),
  },
  'an object of match and limit',
)

/** Options that were checked. */
type CheckedOptions = z.infer<typeof optionsSchema>

/** @throws {InvalidInputError} */
export function parseStatusOptions(options: StatusOptions): CheckedOptions {
  return parseInput(optionsSchema, options, { subject: 'status' })
}

interface SnapshotParts extends ScanParts {
  store: EndpointStore
  /** @default 2 pages of 1000 */
  bounds?: ScanBounds
}

type Snapshot = Omit<SystemStatus, 'more'>

/** Reads how everything stands. */
export type StatusReader = (options: CheckedOptions) => Promise<SystemStatus>

/**
 * Makes a reader whose cost does not grow with what it is about: some twenty short questions at most, which all that
 * ask within a second and a half share, or within five times as long as the answer took.
 */
export function createStatusReader({
  store,
  now = Date.now,
  ...parts
}: SnapshotParts & { now?: () => number }): StatusReader {
  const knownEndpoints = createKnownEndpoints(store)
  let snapshot: Promise<Snapshot> | undefined
  let freshUntil = Infinity

  const take = async (): Promise<Snapshot> => {
    const startedAt = performance.now()
    try {
      const taken = await takeSnapshot({ store, ...parts }, knownEndpoints, now())
      const tookMs = performance.now() - startedAt
      freshUntil = performance.now() + Math.max(MAX_AGE_MS, tookMs * MAX_LOAD)
      return taken
    } catch (error) {
      snapshot = undefined
      throw error
    }
  }

  return async ({ match, limit }) => {
    if (performance.now() > freshUntil) snapshot = undefined
    if (snapshot === undefined) {
      freshUntil = Infinity
      snapshot = take()
    }
    const { endpoints, ...rest } = await snapshot
    const wanted = match?.toLowerCase()
    const matching =
      wanted === undefined ? endpoints : endpoints.filter(({ name }) => name.toLowerCase().includes(wanted))
    return { ...rest, endpoints: matching.slice(0, limit), more: Math.max(0, matching.length - limit) }
  }
}

async function takeSnapshot(
  { store, bounds, ...parts }: SnapshotParts,
  knownEndpoints: () => Promise<ReadonlyMap<string, StoredEndpoint>>,
  now: number,
): Promise<Snapshot> {
  const thisMinute = Math.floor(now / MINUTE_MS)
  const [scan, running, completed, known, latest, minutes] = await Promise.all([
    scanWaiting(parts, bounds),
    recentEvents(parts, 'running'),
    recentEvents(parts, 'completed'),
    knownEndpoints(),
    store.attempts.latest(),
    store.attempts.minutes(thisMinute - SHOWN_MINUTES + 1),
  ])
  const found = factsOf(known, scan, latest)
  const facts = scan.isComplete ? found : await countFirst(parts, found, now)
  const endpoints = facts.map((one) => endpointStatus(one, now)).toSorted(byUrgency)
  const events = [...running, ...completed]
    .toSorted((one, other) => (one.acceptedAt < other.acceptedAt ? 1 : -1))
    .slice(0, SHOWN_EVENTS)
    .map((event) => ({ ...event, waiting: waitingOf(scan, event) }))
  return {
    namespace: parts.client.options.namespace,
    totals: totalsOf(endpoints),
    waiting: {
      count: endpoints.reduce((sum, { waiting }) => sum + waiting, 0),
      ...(!scan.isComplete && { atLeast: true }),
    },
    endpoints,
    events,
    minutes: minutes.map(toMinuteStatus),
  }
}

async function recentEvents(parts: ScanParts, status: EventStatus): Promise<ListedEvent[]> {
  const { events } = await listEvents(parts, { limit: SHOWN_EVENTS, status }, LOOK_AT)
  return events
}

function factsOf(
  known: ReadonlyMap<string, StoredEndpoint>,
  { isComplete, byEndpoint }: WaitingScan,
  latest: readonly LatestAttempts[],
): EndpointFacts[] {
  const attempts = new Map(latest.map((one) => [one.endpoint, one]))
  return [...known.values()].map((endpoint) => {
    const { name, state } = endpoint
    const waits = byEndpoint.get(name)
    return {
      ...attempts.get(name),
      name,
      isPaused: state === 'paused',
      problem: isUsable(endpoint) ? undefined : endpoint.problem,
      waiting: waits?.count ?? 0,
      oldest: waits?.oldest,
      isCounted: isComplete,
      isComplete,
    }
  })
}

/** Counts what waits for those that seem to be in the worst trouble, where a search has not shown everything. */
async function countFirst(
  parts: ScanParts,
  facts: readonly EndpointFacts[],
  now: number,
): Promise<EndpointFacts[]> {
  const first = facts
    .filter(mayWait)
    .toSorted((one, other) => byUrgency(endpointStatus(one, now), endpointStatus(other, now)))
    .slice(0, MAX_COUNTED)
  const counts = await Promise.all(
    first.map(async ({ name }) => [name, await countWaiting(parts, name)] as const),
  )
  const counted = new Map(counts)
  return facts.map((one) => {
    const waiting = counted.get(one.name)
    return waiting === undefined ? one : { ...one, waiting, isCounted: true }
  })
}

/** The workflow of an event that has parts does not say what waits in them. */
function waitingOf({ byEvent }: WaitingScan, event: ListedEvent): number {
  return Math.max(event.waiting, byEvent.get(workflowIdOf(event)) ?? 0)
}

function toMinuteStatus({
  minute,
  delivered,
  failed,
  latencyMsSum,
  latencyMsMax,
}: Omit<AttemptMinute, 'endpoint'>): MinuteStatus {
  return {
    at: new Date(minute * MINUTE_MS).toISOString(),
    delivered,
    failed,
    ...(delivered > 0 && {
      meanLatencyMs: Math.round(latencyMsSum / delivered),
      maxLatencyMs: latencyMsMax,
    }),
  }
}
