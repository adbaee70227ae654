import { subscribes } from '../domain/endpoint.js'
import type { Logger } from '../logger.js'
import { applyChanges, type EndpointStore, type StoredEndpoint } from './endpoint-store.js'

/** How long an attempt waits for a database that does not answer, in milliseconds, when it knows the endpoint. */
const PATIENCE_MS = 500

/** How new what is known of subscribers has to be. */
export interface SubscribersSince {
  /** The registry's revision. @default any */
  revision?: number | undefined
  /** When it was read, on this process's own clock (`performance.now()`). @default now */
  asOf?: number | undefined
}

/** The endpoints as a worker's activities read them. */
export interface EndpointReader {
  /** What is known of an endpoint, however old that is where the database does not answer. */
  get(name: string): Promise<StoredEndpoint | undefined>
  /** As the database has it now; what is known where it does not answer. */
  getLatest(name: string): Promise<StoredEndpoint | undefined>
  /**
   * The names of those that are subscribed to an event type, as of `revision` and of `asOf` at least.
   * @throws {SyncError} `STORE_UNAVAILABLE`: one that is not known yet would be missed
   */
  subscribers(eventType: string, since?: SubscribersSince): Promise<readonly string[]>
  /**
   * Whether the database says that the endpoint was removed, and not nothing of it at all.
   * @throws {SyncError} `STORE_UNAVAILABLE`
   */
  wasRemoved(name: string): Promise<boolean>
  close(): void
}

/** The attempts of an event, or of a group of them, need not ask the database one after the other, in milliseconds. */
const ATTEMPT_STALENESS_MS = 50

/** How often a database that does not answer is asked for attempts that know their endpoint, in milliseconds. */
const RETRY_INTERVAL_MS = 1_000

/** Event types whose subscribers are kept. */
const MAX_KEPT_TYPES = 1_000

/**
 * Keeps all endpoints in memory, and asks the database for what has changed: when they are read, at most once
 * in the store's `maxStalenessMs`, and at once after a change that this process made.
 */
export class EndpointCache implements EndpointReader {
  readonly #store: EndpointStore
  readonly #logger: Logger
  readonly #forgetListener: () => void
  #endpoints = new Map<string, StoredEndpoint>()
  #subscribers = new Map<string, readonly string[]>()
  #revision: number | undefined
  /** When the last answer was asked for. */
  #asOf = -Infinity
  /** Whether this process has made a change since then. */
  #isOutdated = false
  #lastFailureAt = -Infinity
  #isAway = false
  #refreshing: Promise<void> | undefined

  constructor({ store, logger }: { store: EndpointStore; logger: Logger }) {
    this.#store = store
    this.#logger = logger
    this.#forgetListener = store.onWrite(() => (this.#isOutdated = true))
  }

  async get(name: string): Promise<StoredEndpoint | undefined> {
    await this.#refreshIfPossible(this.#isFresh(ATTEMPT_STALENESS_MS))
    return this.#usable(name)
  }

  async getLatest(name: string): Promise<StoredEndpoint | undefined> {
    await this.#refreshIfPossible(false)
    return this.#usable(name)
  }

  async subscribers(
    eventType: string,
    { revision = 0, asOf = Infinity }: SubscribersSince = {},
  ): Promise<readonly string[]> {
    const isFresh = (this.#isFresh() || this.#wasReadAfter(asOf)) && (this.#revision ?? 0) >= revision
    if (!isFresh) await this.#refresh()
    let names = this.#subscribers.get(eventType)
    if (names === undefined) {
      names = [...this.#endpoints.values()]
        .filter((endpoint) => subscribes(endpoint, eventType))
        .map(({ name }) => name)
        .toSorted()
      if (this.#subscribers.size >= MAX_KEPT_TYPES) this.#subscribers.clear()
      this.#subscribers.set(eventType, names)
    }
    return names
  }

  async wasRemoved(name: string): Promise<boolean> {
    const [last] = await this.#store.history(name, { limit: 1 })
    return last?.action === 'removed'
  }

  close(): void {
    this.#forgetListener()
  }

  #isFresh(maxStalenessMs = this.#store.maxStalenessMs): boolean {
    const staleness = Math.max(maxStalenessMs, this.#store.maxStalenessMs)
    return this.#wasReadAfter(performance.now() - staleness)
  }

  #wasReadAfter(time: number): boolean {
    return !this.#isOutdated && this.#asOf > time
  }

  /** A key that was missing may have come since; then the database is asked for this one. */
  async #usable(name: string): Promise<StoredEndpoint | undefined> {
    const known = this.#endpoints.get(name)
    if (known === undefined || !('missingKey' in known)) return known
    return this.#store.get(name)
  }

  async #refreshIfPossible(isFresh: boolean): Promise<void> {
    if (isFresh) return
    if (this.#revision === undefined) return this.#refresh()
    if (performance.now() - this.#lastFailureAt < RETRY_INTERVAL_MS) return
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, PATIENCE_MS)
      const done = (): void => {
        clearTimeout(patience)
        resolve()
      }
      this.#refresh().then(done, done)
    })
  }

  /** One for all that wait, unless this process has made a change since it was begun. */
  async #refresh(): Promise<void> {
    while (this.#refreshing !== undefined && this.#isOutdated) await this.#refreshing.catch(() => undefined)
    this.#refreshing ??= this.#load().finally(() => (this.#refreshing = undefined))
    return this.#refreshing
  }

  async #load(): Promise<void> {
    const asOf = performance.now()
    this.#isOutdated = false
    try {
      const changes = await this.#store.changesSince(this.#revision)
      applyChanges(this.#endpoints, changes)
      if (changes.endpoints.size > 0 || changes.isComplete) this.#subscribers.clear()
      this.#revision = changes.revision
      this.#asOf = asOf
      this.#report(undefined)
    } catch (error) {
      this.#isOutdated = true
      this.#lastFailureAt = performance.now()
      this.#report(error)
      throw error
    }
  }

  /** Once for an outage, however often it is asked. */
  #report(error: unknown): void {
    const wasAway = this.#isAway
    this.#isAway = error !== undefined
    const { location } = this.#store
    if (this.#isAway && !wasAway) {
      this.#logger.warn(
        { err: error, location },
        'the endpoint store does not answer: deliveries go on with what is known, new events wait until it does',
      )
    }
    if (wasAway && !this.#isAway) this.#logger.info({ location }, 'the endpoint store answers again')
  }
}
