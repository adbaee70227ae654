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
import { sharedAnswer } from './shared-answer.js'
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
/** How far it looks, and how many endpoints it counts one by one where that does not show all that waits. */
interface Bounds extends ScanBounds {
  maxCounted: number
}

/** 1,000 are the most that Temporal gives at a time, for which it needs 0.3 s on SQLite. */
const BOUNDS: Bounds = { pageSize: 1_000, maxPages: 2, maxCounted: 20 }
const BRIEF_BOUNDS: Bounds = { pageSize: 100, maxPages: 1, maxCounted: 0 }

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 200

/** Which endpoints a status shows. */
export interface StatusOptions {
  /** Only those whose name has this in it, in whichever case. @default all */
  match?: string
  /** Endpoints at most, 200 at most; those in trouble first. @default 100 */
  limit?: number
  /**
   * Answers sooner: of what waits, it looks at the latest 100 events alone, unless somebody has asked for all lately.
   * What it says of the others is a lower bound then, and says so. @default false
   */
  brief?: boolean
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
    brief: z.boolean('a boolean').default(false),
  },
  'an object of match, limit and brief',
)

/** Options that were checked. */
type CheckedOptions = z.infer<typeof optionsSchema>

/** @throws {InvalidInputError} */
export function parseStatusOptions(options: StatusOptions): CheckedOptions {
  return parseInput(optionsSchema, options, { subject: 'status' })
}

interface SnapshotParts extends ScanParts {
  store: EndpointStore
  knownEndpoints: () => Promise<ReadonlyMap<string, StoredEndpoint>>
  bounds: Bounds
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
  bounds = BOUNDS,
  briefBounds = BRIEF_BOUNDS,
  ...parts
}: ScanParts & { store: EndpointStore; bounds?: Bounds; briefBounds?: Bounds }): StatusReader {
  const knownEndpoints = createKnownEndpoints(store)
  const snapshots = (within: Bounds) =>
    sharedAnswer(() => takeSnapshot({ store, knownEndpoints, bounds: within, ...parts }, Date.now()))
  const whole = snapshots(bounds)
  const short = snapshots(briefBounds)

  return async ({ match, limit, brief }) => {
    const { endpoints, ...rest } = await (brief && !whole.isFresh() ? short : whole).get()
    const wanted = match?.toLowerCase()
    const matching =
      wanted === undefined ? endpoints : endpoints.filter(({ name }) => name.toLowerCase().includes(wanted))
    return { ...rest, endpoints: matching.slice(0, limit), more: Math.max(0, matching.length - limit) }
  }
}

async function takeSnapshot(
  { store, knownEndpoints, bounds, ...parts }: SnapshotParts,
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
  const facts = scan.isComplete ? found : await countFirst(parts, found, now, bounds)
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
  { maxCounted }: Bounds,
): Promise<EndpointFacts[]> {
  const first = facts
    .filter(mayWait)
    .toSorted((one, other) => byUrgency(endpointStatus(one, now), endpointStatus(other, now)))
    .slice(0, maxCounted)
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
