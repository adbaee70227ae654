import type { Endpoint, EndpointSettings } from '../domain/endpoint.js'

/** What registering did: nothing, when the same settings were there already. */
export type Registration = 'created' | 'updated' | 'unchanged'

/** The registered endpoints. Safe for several processes at once; a change is seen by the next read of any. */
export interface EndpointStore {
  /** Stores the settings under the name, whatever was there before. */
  put(name: string, settings: EndpointSettings): Promise<Registration>
  /**
   * Replaces the settings by what `change` makes of the current ones; `change` runs again when another
   * process wrote in between.
   * @returns undefined where there is no endpoint of this name
   */
  update(
    name: string,
    change: (current: EndpointSettings) => EndpointSettings,
  ): Promise<'updated' | 'unchanged' | undefined>
  get(name: string): Promise<Endpoint | undefined>
  /** All endpoints by name. */
  list(): Promise<Endpoint[]>
  /** @returns whether there was an endpoint of this name */
  remove(name: string): Promise<boolean>
  close(): Promise<void>
}
