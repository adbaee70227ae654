import { subscribes } from '../domain/endpoint.js'
import type { EndpointStore } from '../store/endpoint-store.js'

/** What the workflow knows of an endpoint; never a secret. */
export interface SubscribedEndpoint {
  name: string
}

/** The endpoints that are subscribed to an event type at this moment. */
export function createResolveEndpoints({ store }: { store: EndpointStore }) {
  return async function resolveEndpoints(eventType: string): Promise<SubscribedEndpoint[]> {
    const endpoints = await store.list()
    return endpoints.filter((endpoint) => subscribes(endpoint, eventType)).map(({ name }) => ({ name }))
  }
}
