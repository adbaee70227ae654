import type { EndpointStore } from '../store/endpoint-store.js'

/** The version of an endpoint now; undefined where it was removed. */
export function createEndpointVersion({ store }: { store: EndpointStore }) {
  return async function endpointVersion(endpoint: string): Promise<string | undefined> {
    return (await store.get(endpoint))?.version
  }
}
