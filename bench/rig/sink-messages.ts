/**
 * How a listener of the sink takes requests: `answer` with 200 at once; `hang` and answer only when told to
 * answer again; `refuse` connections, as a process that is down does.
 */
export type SinkMode = 'answer' | 'hang' | 'refuse'

/** What the sink can be told; each command gets one reply. */
export interface SinkCommands {
  /** Opens a listener on a free port. */
  listen: { request: object; reply: { port: number } }
  /** Replies when the listener behaves so. */
  behave: { request: { port: number; mode: SinkMode }; reply: object }
  /** Replies as soon as so many requests of the phase have come in, or so many of its deliveries were answered. */
  until: { request: { phase: string; count: number; of: 'received' | 'answered' }; reply: object }
  /** When each delivery was answered first. */
  arrivals: { request: { phase: string }; reply: { arrivals: Arrival[] } }
  audit: { request: Expectation; reply: Audit }
}

/** One answered delivery: the event's number in its phase, and when its request was there, in epoch ms. */
export type Arrival = readonly [event: number, atMs: number]

/** That events 0 to `events` - 1 of a phase are delivered to each of these paths exactly once. */
export interface Expectation {
  phase: string
  events: number
  paths: string[]
}

/** How far an expectation was met. */
export interface Audit {
  /** Deliveries that were never answered. */
  lost: number
  /** Deliveries that were answered again, and those that nobody expected. */
  duplicates: number
  /** Some of both, by event and path. */
  examples: string[]
}

/** A command on its way to the sink. */
export type SinkRequest = {
  [Name in keyof SinkCommands]: { id: number; name: Name; args: SinkCommands[Name]['request'] }
}[keyof SinkCommands]

/** A reply on its way back. */
export interface SinkReply {
  id: number
  reply: object
}

/** The id of an event as the sink reads it, from `webhook-id`. */
export function eventIdOf(phase: string, event: number): string {
  return `${phase}.${event}`
}

/** @returns undefined for an id that is not the bench's */
export function parseEventId(id: string): { phase: string; event: number } | undefined {
  const dot = id.lastIndexOf('.')
  const event = Number(id.slice(dot + 1))
  return dot > 0 && Number.isInteger(event) ? { phase: id.slice(0, dot), event } : undefined
}
