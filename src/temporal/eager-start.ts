import { InternalConnectionLikeSymbol, type Client, type InternalConnectionLike } from '@temporalio/client'

/**
 * Whether workflows that this client starts can begin at once on a worker of the same process: where both share
 * one `NativeConnection`, Temporal hands the first workflow task to the starter.
 */
export function canStartEagerly(client: Client): boolean {
  const connection = client.connection as InternalConnectionLike
  return connection[InternalConnectionLikeSymbol]?.supportsEagerStart === true
}
