import { activityInfo, cancellationSignal } from '@temporalio/activity'
import type { Client } from '@temporalio/client'
import type { PastEventsRange } from '../domain/search-attributes.js'
import { countPastEvents } from '../temporal/past-events.js'
import { cancelGoingOn, countDiscarded, countGoingOn } from './replayed-events.js'
import { withHeartbeats } from './with-heartbeats.js'

/** How many events were accepted in a time. */
export function createCountPastEvents({ client }: { client: Client }) {
  return (range: PastEventsRange): Promise<number> =>
    withHeartbeats(() => countPastEvents(client, activityInfo().taskQueue, range))
}

/** How many of a replay's events go on by themselves. */
export function createCountGoingOn({ client }: { client: Client }) {
  return (replayId: string): Promise<number> => countGoingOn(client, replayId)
}

/** How many of a replay's events were given up after they went on by themselves. */
export function createCountDiscarded({ client }: { client: Client }) {
  return (replayId: string): Promise<number> => withHeartbeats(() => countDiscarded(client, replayId))
}

/** Ends what goes on by itself of a replay. */
export function createCancelGoingOn({ client }: { client: Client }) {
  return (replayId: string): Promise<void> =>
    withHeartbeats(() => cancelGoingOn(client, replayId, cancellationSignal()))
}
