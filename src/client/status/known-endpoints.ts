import type { EndpointStore, StoredEndpoint } from '../../store/endpoint-store.js'

/** The endpoints by name, for which the store is asked for what has changed since the last time only. */
export function createKnownEndpoints(
  store: Pick<EndpointStore, 'changesSince'>,
): () => Promise<ReadonlyMap<string, StoredEndpoint>> {
  let known = new Map<string, StoredEndpoint>()
  let last: number | undefined
  return async () => {
    const { revision, isComplete, endpoints } = await store.changesSince(last)
    if (isComplete) known = new Map()
    for (const [name, endpoint] of endpoints) {
      if (endpoint === undefined) known.delete(name)
      else known.set(name, endpoint)
    }
    last = revision
    return known
  }
}
