import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow'
import type { Delivery } from '../domain/delivery.js'
import type { SyncEvent } from '../domain/event.js'
import { fitEvidence } from '../domain/fit-evidence.js'
import type { ReplayCursor, ReplayRecord } from '../domain/replay.js'

/** Names under which workflows are started; a client needs no workflow code. */
export const SYNC_EVENT_WORKFLOW = 'syncEvent'
export const SYNC_GROUP_WORKFLOW = 'syncGroup'
export const RELEASE_ENDPOINT_WORKFLOW = 'releaseEndpoint'
export const REPLAY_EVENTS_WORKFLOW = 'replayEvents'

/** What `syncEvent` starts with. */
export interface SyncEventInput {
  event: SyncEvent
  /** The registry's revision that the emitter has written; the endpoints are resolved as of it at least. */
  registryRevision?: number
  /**
   * How the first attempts are made: by one local activity that resolves the endpoints as well. Not there in
   * what earlier versions have started, which has one for each; so workers are upgraded before emitters.
   */
  firstAttempts?: 'together'
  /** The endpoints of this part, where an event has too many for one workflow. @default those that are subscribed */
  endpoints?: string[]
  /** Whether a part tells its event when its first attempts are over and it goes on. */
  tellsParent?: boolean
  /** When the event was accepted, RFC 3339; there when it continues as new. */
  acceptedAt?: string
  /** Where the deliveries stood; there when it continues as new. */
  deliveries?: Delivery[]
}

/** What a finished `syncEvent` leaves on record. */
export interface SyncEventResult {
  deliveries: Delivery[]
  /** The workflows that have the deliveries, where there are too many for one. */
  parts?: EventPart[]
}

/** A workflow that delivers an event to a part of its endpoints. */
export interface EventPart {
  workflowId: string
  /** How many deliveries it has. */
  deliveries: number
  /** How many of them it has delivered; counted when it ends. */
  delivered: number
  discarded: number
}

/** What `syncGroup` starts with. */
export interface SyncGroupInput {
  events: SyncEvent[]
  /** The registry's revision that the emitter has written; the endpoints are resolved as of it at least. */
  registryRevision?: number
}

/** What a finished `syncGroup` leaves on record. */
export interface SyncGroupResult {
  /** When the first attempts had been made, RFC 3339. */
  attemptedAt: string
  /** The endpoints of each type of which an event was delivered. */
  subscribers: Record<string, readonly string[]>
  events: GroupedEvent[]
}

/** An event of a group. */
export interface GroupedEvent extends Pick<SyncEvent, 'type' | 'id'> {
  /**
   * The HTTP statuses with which it was delivered, in the order of its subscribers, or one for all; absent where
   * it goes on in a workflow of its own.
   */
  statuses?: number[]
}

/** What `replayEvents` starts with. */
export interface ReplayEventsInput {
  replay: ReplayRecord
  /** How far it has come; there when it continues as new. */
  cursor?: ReplayCursor
}

/** The memo of a replay: where it stands, which is read without a worker. */
export interface ReplayMemo {
  replay: ReplayRecord
}

/** A part of an event's deliveries, in the order in which the endpoints were resolved. */
export interface DeliveryPage {
  deliveries: Delivery[]
  /** Where the next page begins; absent on the last. */
  nextCursor?: string
}

/** How many deliveries a page holds at most: their evidence is cut to fit a payload. */
export const MAX_PAGE_SIZE = 100

/** The type of the failure that refers to the part which has a delivery, with its workflow's id as detail. */
export const DELIVERY_IN_PART = 'DeliveryInPart'

/** Where the deliveries stand. A query's answer is a payload too, so it is paged. */
export const deliveriesQuery = defineQuery<
  DeliveryPage & Pick<SyncEventResult, 'parts'>,
  [{ cursor?: string; limit?: number }]
>('deliveries')

/** Why an endpoint's deliveries are released, where it is not that the endpoint was changed. */
export interface ReleaseRequest {
  /** Whether it was down and is back. */
  recovered?: boolean
}

/**
 * An endpoint was changed, resumed or removed, or it is back: what waits for it goes on. A signal and not an
 * update, as it is sent to thousands, needs no answer and may arrive twice: a round that has seen this version
 * stays, unless the endpoint was down.
 */
export const releaseSignal =
  defineSignal<[{ endpoint: string; version: string | undefined } & ReleaseRequest]>('release')

/** The first attempts of a part, by its workflow's id, are over, and it goes on. */
export const partAttemptedSignal = defineSignal<[workflowId: string]>('partAttempted')

/** An operator wants a new attempt now. An update, so that a wrong endpoint or an ended delivery is refused. */
export const retryDeliveryUpdate = defineUpdate<Delivery, [{ endpoint: string }]>('retryDelivery')

/** An operator gives a delivery up; answers with the delivery as it ended. */
export const discardDeliveryUpdate = defineUpdate<Delivery, [{ endpoint: string; reason: string }]>(
  'discardDelivery',
)

/** The endpoint was changed again, or is back again, while `releaseEndpoint` was at work. */
export const releaseAgainSignal = defineSignal<[ReleaseRequest?]>('releaseAgain')

/** An operator pauses a replay, or lets it go on; signals, so that they are kept while no worker is there. */
export const pauseReplaySignal = defineSignal('pauseReplay')
export const resumeReplaySignal = defineSignal('resumeReplay')

/** Cuts a page; the client uses it for a closed workflow's result. */
export function pageOf(
  deliveries: readonly Delivery[],
  cursor: string | undefined,
  limit: number,
): DeliveryPage {
  const start = cursor === undefined ? 0 : Number(cursor)
  const end = start + Math.min(limit, MAX_PAGE_SIZE)
  return {
    deliveries: fitEvidence(deliveries.slice(start, end)),
    ...(end < deliveries.length && { nextCursor: String(end) }),
  }
}
