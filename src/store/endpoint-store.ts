import type { Endpoint, EndpointSettings, EndpointState } from '../domain/endpoint.js'
import type { Outages } from './outages.js'
import type { AttemptRecords } from './attempt-records.js'

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
  /** The key that this process lacks; another one may have it, so that its deliveries are retried. */
  missingKey?: string
}

export type StoredEndpoint = Endpoint | UnusableEndpoint

export function isUsable(endpoint: StoredEndpoint): endpoint is Endpoint {
  return !('problem' in endpoint)
}

/** A change of one endpoint, as the store records it for good. */
export interface EndpointChange {
  /** Counts the changes of the whole registry, in the order in which they were made. */
  revision: number
  endpoint: string
  /** RFC 3339. */
  at: string
  /** Who made it. */
  actor: string
  action: 'created' | 'updated' | 'paused' | 'resumed' | 'removed'
  /** The settings that changed, such as `url` or `headers.x-tenant`; never their values. */
  fields: string[]
}

/** Which part of an endpoint's history to return. */
export interface HistoryOptions {
  /** Only changes with a lower revision. @default the latest */
  before?: number
  /** @default 100 */
  limit?: number
}

/** What changed in the registry after a revision. */
export interface RegistryChanges {
  /** The registry's revision that this leads to; 0 where nothing was ever written. */
  revision: number
  /** Whether `endpoints` are all there are, and not only those that changed. */
  isComplete: boolean
  /** By name; undefined where it was removed. */
  endpoints: ReadonlyMap<string, StoredEndpoint | undefined>
}

/** Brings what is known of the registry up to date. */
export function applyChanges(
  known: Map<string, StoredEndpoint>,
  { isComplete, endpoints }: Pick<RegistryChanges, 'isComplete' | 'endpoints'>,
): void {
  if (isComplete) known.clear()
  for (const [name, endpoint] of endpoints) {
    if (endpoint === undefined) known.delete(name)
    else known.set(name, endpoint)
  }
}

/** What {@link EndpointStore.reencrypt} did. */
export interface ReencryptionReport {
  /** The key under which all that could be read is now. */
  keyId: string
  /** Endpoints looked at. */
  endpoints: number
  /** Of these, how many were under another key. */
  reencrypted: number
  /** Of these, what could not be opened, and so was left as it is. */
  unreadable: { endpoint: string; problem: string }[]
  /** Keys that encrypt nothing in the store any more. */
  retiredKeys: string[]
}

/** Who makes a change. */
export interface ChangeOptions {
  /** Recorded in the history. @default the actor that the store was opened for */
  actor?: string
}

/**
 * The registered endpoints, their secrets encrypted, and the history of their changes. Safe for several
 * processes at once; a change is seen by the next read of any.
 *
 * Every method rejects with `STORE_UNAVAILABLE` where the database does not answer.
 */
export interface EndpointStore {
  /** Names the database, without a password. */
  readonly location: string
  /**
   * How old a reader may let what it knows become, in milliseconds: 0 where asking costs next to nothing.
   */
  readonly maxStalenessMs: number
  /** The revision of the last change that was made through this store; undefined where there was none. */
  readonly writtenRevision: number | undefined
  /** The outages that workers have noticed. */
  readonly outages: Outages
  /** What came of the attempts of all workers. */
  readonly attempts: AttemptRecords
  /** Stores the settings under the name, whatever was there before. */
  put(name: string, settings: EndpointSettings, options?: ChangeOptions): Promise<Registration>
  /** @returns undefined where there is no endpoint of this name */
  setState(
    name: string,
    state: EndpointState,
    options?: ChangeOptions,
  ): Promise<'updated' | 'unchanged' | undefined>
  /**
   * Replaces the settings by what `change` makes of the current ones, between which nobody writes.
   * @returns undefined where there is no endpoint of this name
   * @throws {SyncError} `ENDPOINT_UNUSABLE` where a secret cannot be read, which would be lost
   */
  update(
    name: string,
    change: (current: EndpointSettings) => EndpointSettings,
    options?: ChangeOptions,
  ): Promise<'updated' | 'unchanged' | undefined>
  get(name: string): Promise<StoredEndpoint | undefined>
  /** All endpoints by name. */
  list(): Promise<StoredEndpoint[]>
  /** @returns whether there was an endpoint of this name */
  remove(name: string, options?: ChangeOptions): Promise<boolean>
  /** The changes of an endpoint, also of one that was removed, latest first. */
  history(name: string, options?: HistoryOptions): Promise<EndpointChange[]>
  /** What changed after a revision; everything where none is given. Costs one short query where nothing did. */
  changesSince(revision: number | undefined): Promise<RegistryChanges>
  /** Calls `listener` after each change that this process makes, through whichever store of this database. */
  onWrite(listener: () => void): () => void
  /** Encrypts everything under the current key. What an endpoint does, and its version, stay the same. */
  reencrypt(onProgress?: (done: number, total: number) => void): Promise<ReencryptionReport>
  close(): Promise<void>
}
