import type { Logger } from 'pino'
import type { Sender } from '../delivery/send.js'
import type { EndpointStore } from '../store/endpoint-store.js'
import { createDeliver } from './deliver.js'
import { createResolveEndpoints } from './resolve-endpoints.js'

/** What the activities need; composed where the worker is. */
export interface ActivityDependencies {
  store: EndpointStore
  sender: Sender
  logger: Logger
  /** A number in [0, 1), for jitter. @default Math.random */
  random?: () => number
}

export type Activities = ReturnType<typeof createActivities>

/** The activities that `syncEvent` calls; workflow code imports this module's types only. */
export function createActivities(dependencies: ActivityDependencies) {
  return {
    resolveEndpoints: createResolveEndpoints(dependencies),
    deliver: createDeliver(dependencies),
  }
}
