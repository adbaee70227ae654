import type { Endpoint, EndpointSettings, EndpointState } from '../domain/endpoint.js'

/** What registering did: nothing, when the same settings were there already. */
export type Registration = 'created' | 'updated' | 'unchanged'

/** An endpoint whose stored settings are not accepted any more; its deliveries wait until it is updated. */
export interface UnusableEndpoint extends Pick<
  Endpoint,
  'name' | 'state' | 'version' | 'createdAt' | 'updatedAt'
> {
  /** Its filter, where that can still be read. */
  events?: string[]
  /** What is not accepted, without any secret. */
  problem: string
}

export type StoredEndpoint = Endpoint | UnusableEndpoint

export function isUsable(endpoint: StoredEndpoint): endpoint is Endpoint {
  return !('problem' in endpoint)
}

/** The registered endpoints. Safe for several processes at once; a change is seen by the next read of any. */
export interface EndpointStore {
  /** Stores the settings under the name, whatever was there before. */
  put(name: string, settings: EndpointSettings): Promise<Registration>
  /** @returns undefined where there is no endpoint of this name */
  setState(name: string, state: EndpointState): Promise<'updated' | 'unchanged' | undefined>
  /**
   * Replaces the settings by what `change` makes of the current ones; `change` runs again when another
   * process wrote in between.
   * @returns undefined where there is no endpoint of this name
   */
  update(
    name: string,
    change: (current: EndpointSettings) => EndpointSettings,
  ): Promise<'updated' | 'unchanged' | undefined>
  get(name: string): Promise<StoredEndpoint | undefined>
  /** All endpoints by name. */
  list(): Promise<StoredEndpoint[]>
  /** @returns whether there was an endpoint of this name */
  remove(name: string): Promise<boolean>
  close(): Promise<void>
}
