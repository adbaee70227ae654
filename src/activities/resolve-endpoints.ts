import type { EndpointReader } from '../store/endpoint-cache.js'

/** What the workflow knows of an endpoint; never a secret. */
export interface SubscribedEndpoint {
  name: string
}

/**
 * The endpoints that are subscribed to an event type at this moment; while the store does not answer, it is
 * tried again. `revision` is that of the registry which the emitter knows of, so that an endpoint that was
 * registered before the event gets it.
 */
export function createResolveEndpoints({ endpoints }: { endpoints: EndpointReader }) {
  return async function resolveEndpoints(
    eventType: string,
    revision?: number,
  ): Promise<SubscribedEndpoint[]> {
    const names = await endpoints.subscribers(eventType, { revision })
    return names.map((name) => ({ name }))
  }
}
