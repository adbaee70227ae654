import { REPLAY_ID_PREFIX, replayWorkflowIdOf } from './replay.js'

/**
 * The project's search attributes, by their names in Temporal and their types as the Temporal CLI spells
 * them. The happy path upserts none; only a delivery that waits does.
 */
export const SEARCH_ATTRIBUTES = {
  /** The entity that the event is about, such as `policy/42`; set at the start when the emitter gave a key. */
  SyncEventKey: 'Keyword',
  /** The tokens of a group's events, by which the group is found; see `groupTokenOf`. */
  SyncGroupEvents: 'KeywordList',
  /** Names of the endpoints on which a delivery waits, as many as fit. */
  SyncWaitingOn: 'KeywordList',
  /** How many deliveries wait, all of them. */
  SyncWaitingCount: 'Int',
} as const

/** What a list of names may take: a search attribute takes 2 KiB in all; over it the server ends the workflow. */
export const MAX_LIST_BYTES = 1_800

/** What a name takes in the list, in bytes: itself, its quotes and a comma. */
export function listedBytes({ length }: string): number {
  return length + 3
}

/** The visibility query for events that wait for an endpoint, among those of one task queue's workers. */
export function waitingQuery(endpoint: string, taskQueue: string): string {
  return `SyncWaitingOn = "${endpoint}" AND TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`
}

/** The visibility query for groups that may hold an event, of one task queue's workers. */
export function groupQuery(token: string, taskQueue: string): string {
  return `SyncGroupEvents = "${token}" AND TaskQueue = "${taskQueue}"`
}

/** The visibility query for all events of one task queue's workers of which a delivery waits. */
export function allWaitingQuery(taskQueue: string): string {
  return `SyncWaitingCount > 0 AND TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`
}

/** Which events a visibility query is about. */
export interface EventFilter {
  type?: string | undefined
  /** Name of an endpoint. */
  waitingOn?: string | undefined
  /** As Temporal spells it, such as `Running`. */
  executionStatus?: string | undefined
  /** Not before, RFC 3339. */
  since?: string | undefined
  /** Before, RFC 3339. */
  until?: string | undefined
}

/** The visibility query for the workflows of one task queue's workers that have events, alone or in a group. */
export function eventsQuery(
  taskQueue: string,
  { type, waitingOn, executionStatus, since, until }: EventFilter,
): string {
  const kinds = [
    type === undefined
      ? 'WorkflowType = "syncEvent"'
      : `(WorkflowType = "syncEvent" AND WorkflowId STARTS_WITH "${type}/")`,
    // What a group has left is delivered, or waits in a workflow of its own.
    ...(waitingOn === undefined ? ['WorkflowType = "syncGroup"'] : []),
  ]
  return [
    `TaskQueue = "${taskQueue}"`,
    `(${kinds.join(' OR ')})`,
    executionStatus === undefined
      ? 'ExecutionStatus != "ContinuedAsNew"'
      : `ExecutionStatus = "${executionStatus}"`,
    ...(waitingOn === undefined ? [] : [`SyncWaitingOn = "${waitingOn}"`]),
    ...(since === undefined ? [] : [`StartTime >= "${since}"`]),
    ...(until === undefined ? [] : [`StartTime < "${until}"`]),
  ].join(' AND ')
}

/** Events of the past, by when their workflows were started, RFC 3339. */
export interface PastEventsRange {
  since: string
  /** Not included. */
  until: string
}

/**
 * The visibility query for the workflows that hold past events, as emitters have started them: what they have started
 * themselves, and what a replay has, is about the same events.
 */
export function pastEventsQuery(taskQueue: string, { since, until }: PastEventsRange): string {
  return [
    `TaskQueue = "${taskQueue}"`,
    'WorkflowType IN ("syncEvent", "syncGroup")',
    `WorkflowId NOT STARTS_WITH "${REPLAY_ID_PREFIX}"`,
    'ParentWorkflowId IS NULL',
    `StartTime >= "${since}"`,
    `StartTime < "${until}"`,
  ].join(' AND ')
}

/** The visibility query for the replays of one task queue's workers. */
export function replaysQuery(taskQueue: string): string {
  return `WorkflowType = "replayEvents" AND TaskQueue = "${taskQueue}" AND ExecutionStatus != "ContinuedAsNew"`
}

/** The visibility query for what replays have sent and waits for an endpoint. */
export function replayedWaitingQuery(endpoint: string, taskQueue: string): string {
  return `${waitingQuery(endpoint, taskQueue)} AND WorkflowId STARTS_WITH "${REPLAY_ID_PREFIX}"`
}

/** The visibility query for what a replay has sent and was not taken at once. */
export function replayedQuery(replayId: string): string {
  return `WorkflowId STARTS_WITH "${replayWorkflowIdOf(replayId)}/" AND ExecutionStatus != "ContinuedAsNew"`
}
