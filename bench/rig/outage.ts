import { registerEndpoints, type EndpointGroup } from './endpoints.js'
import { createTroubledEvents, untilWaiting, type TroubledEvents } from './troubled-events.js'
import type { Trial } from './trial.js'

/** An endpoint that refuses connections, and the events that wait for it. */
export interface Outage {
  port: number
  endpoints: EndpointGroup
  events: TroubledEvents
  /** What did not come about in time. */
  notes: string[]
}

/** Takes an endpoint down, emits events to it, and waits until they wait or `waitingWithinMs` has passed. */
export async function beginOutage(
  trial: Trial,
  { count, emitters, waitingWithinMs }: { count: number; emitters: number; waitingWithinMs: number },
): Promise<Outage> {
  const port = await trial.sink.listen()
  const endpoints = await registerEndpoints(trial, { count: 1, port })
  const [endpoint = ''] = endpoints.names
  await trial.sink.behave(port, 'refuse')
  const events = createTroubledEvents(trial, 'backlog', endpoints)
  await events.emit(count, emitters)
  const waiting = await untilWaiting(trial, endpoint, { count, timeoutMs: waitingWithinMs })
  const seconds = Math.round(waitingWithinMs / 1_000)
  const notes = waiting < count ? [`${waiting} of ${count} deliveries were waiting after ${seconds} s`] : []
  return { port, endpoints, events, notes }
}
