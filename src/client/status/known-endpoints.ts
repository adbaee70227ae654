import { applyChanges, type EndpointStore, type StoredEndpoint } from '../../store/endpoint-store.js'

/** The endpoints by name, for which the store is asked for what has changed since the last time only. */
export function createKnownEndpoints(
  store: Pick<EndpointStore, 'changesSince'>,
): () => Promise<ReadonlyMap<string, StoredEndpoint>> {
  const known = new Map<string, StoredEndpoint>()
  let last: number | undefined
  return async () => {
    const changes = await store.changesSince(last)
    applyChanges(known, changes)
    last = changes.revision
    return known
  }
}
