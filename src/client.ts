import {
  getEndpoint,
  listEndpoints,
  parseHistoryOptions,
  registerEndpoint,
  removeEndpoint,
  setEndpointState,
  updateEndpoint,
  type RemoveEndpointOptions,
  type ShownEndpoint,
} from './client/endpoint-registry.js'
import { createEvents, type EventToEmit } from './client/create-events.js'
import { checkDeliveriesOptions, readDeliveries, type DeliveriesOptions } from './client/event-deliveries.js'
import {
  countEvents,
  listEvents,
  parseCountEventsOptions,
  parseListEventsOptions,
  type CountEventsOptions,
  type EventPage,
  type ListEventsOptions,
} from './client/list-events.js'
import { forward, type EventSource, type ForwardOptions } from './client/forward.js'
import { Listeners, type ErrorListener, type EventListener } from './client/local-listeners.js'
import { discardDelivery, retryDelivery } from './client/open-deliveries.js'
import {
  cancelReplay,
  getReplay,
  listReplays,
  parseReplayOptions,
  pauseReplay,
  resumeReplay,
  startReplay,
  type Replay,
  type ReplayOptions,
} from './client/replays.js'
import {
  checkOptions,
  openServiceParts,
  type ServiceParts,
  type SyncServiceOptions,
} from './client/service-parts.js'
import { checkReady } from './client/readiness.js'
import { rotateSigningSecret, type RotatedSecret } from './client/rotate-signing-secret.js'
import { parseStatusOptions, type StatusOptions, type SystemStatus } from './client/status/status-reader.js'
import type { Receipt } from './client/start-events.js'
import type { EndpointTestReport } from './client/test-endpoint.js'
import { waitForDeliveries, type WaitOptions } from './client/wait-for-deliveries.js'
import { reportIfUnobserved } from './client/watched-promise.js'
import { loadConfig, type Config } from './config.js'
import type { Delivery } from './domain/delivery.js'
import type { EndpointChanges, EndpointSettings } from './domain/endpoint.js'
import { SyncError } from './domain/errors.js'
import {
  createEvent,
  parseDiscardReason,
  parseEventIdentity,
  parseEventType,
  type EmitOptions,
  type SyncEvent,
} from './domain/event.js'
import { parseEndpoint } from './domain/parse-endpoint.js'
import { createLogger, type Logger } from './logger.js'
import { traceEmit } from './tracing/event-spans.js'
import type { ChangeOptions, EndpointChange, HistoryOptions, Registration } from './store/endpoint-store.js'
import type { DeliveryPage } from './workflows/messages.js'

export type { RemoveEndpointOptions, ShownEndpoint } from './client/endpoint-registry.js'
export type { EventToEmit } from './client/create-events.js'
export type { DeliveriesOptions } from './client/event-deliveries.js'
export type {
  CountEventsOptions,
  EventPage,
  EventStatus,
  ListedEvent,
  ListEventsOptions,
} from './client/list-events.js'
export type { EventSource, ForwardOptions } from './client/forward.js'
export type { ErrorListener, EventListener } from './client/local-listeners.js'
export type { RotatedSecret } from './client/rotate-signing-secret.js'
export type { Replay, ReplayOptions, ReplayStatus } from './client/replays.js'
export type { SyncServiceOptions } from './client/service-parts.js'
export type { StatusOptions, SystemStatus } from './client/status/status-reader.js'
export type { Receipt } from './client/start-events.js'
export type { EndpointTestReport } from './client/test-endpoint.js'
export type { WaitOptions } from './client/wait-for-deliveries.js'
export type { AttemptEvidence, Delivery, DeliveryState, WaitingReason } from './domain/delivery.js'
export type {
  EndpointChanges,
  EndpointSettings,
  EndpointState,
  EndpointView,
  MappingConnector,
} from './domain/endpoint.js'
export type { EndpointAuth, TlsSettings } from './domain/endpoint-auth.js'
export {
  EventConflictError,
  InvalidInputError,
  SyncError,
  type InputProblem,
  type SyncErrorCode,
} from './domain/errors.js'
export type { EmitOptions, SyncEvent } from './domain/event.js'
export type { ReplayHold, ReplayState } from './domain/replay.js'
export type { EndpointStatus, EndpointStatusName, EndpointTotals, MinuteStatus } from './domain/status.js'
export type { Json } from './domain/json.js'
export type {
  ChangeOptions,
  EndpointChange,
  HistoryOptions,
  Registration,
  UnusableEndpoint,
} from './store/endpoint-store.js'
export type { DeliveryPage } from './workflows/messages.js'

const ERROR = 'error'

/**
 * Emits events and registers the endpoints that get them.
 *
 * Calls need not be awaited: changes of endpoints take effect in the order in which they are called and
 * before the emits that follow them, and a failure that nobody awaits goes to the `error` listeners, else to
 * the log. It never ends the process.
 */
export class SyncService implements AsyncDisposable {
  readonly #options: SyncServiceOptions
  readonly #eventListeners = new Listeners<EventListener>((type, error) =>
    this.#log().error({ err: error, eventType: type }, 'a listener failed'),
  )
  readonly #errorListeners = new Listeners<ErrorListener>((_, error) =>
    this.#log().error({ err: error }, 'an error listener failed'),
  )
  readonly #underWay = new Set<Promise<unknown>>()
  #config: Config | undefined
  #logger: Logger | undefined
  #parts: Promise<ServiceParts> | undefined
  #lastChange: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  /**
   * Makes a service that connects on first use.
   * @throws {InvalidInputError} on an unknown option
   */
  constructor(options: SyncServiceOptions = {}) {
    checkOptions(options)
    this.#options = options
  }

  /**
   * Makes a service and connects it.
   * @throws {SyncError} `TEMPORAL_UNREACHABLE`, `TEMPORAL_NAMESPACE_MISSING`,
   * `TEMPORAL_SEARCH_ATTRIBUTE_MISSING` or `STORE_UNAVAILABLE`, each saying what to do
   */
  static async connect(options: SyncServiceOptions = {}): Promise<SyncService> {
    const service = new SyncService(options)
    await service.#connected()
    return service
  }

  /**
   * Registers an endpoint with exactly these settings; the same settings again change nothing.
   * @throws {InvalidInputError}
   */
  registerEndpoint(
    name: string,
    settings: EndpointSettings,
    options: ChangeOptions = {},
  ): Promise<Registration> {
    return this.#change(() => {
      const parsed = parseEndpoint(name, settings)
      return (parts) => registerEndpoint(parts, name, parsed, options)
    })
  }

  /**
   * Changes the given settings of an endpoint and leaves the others; `undefined` takes one away. What waits
   * for the endpoint goes on.
   * @throws {InvalidInputError}
   * @throws {SyncError} `ENDPOINT_NOT_FOUND`
   */
  updateEndpoint(
    name: string,
    changes: EndpointChanges,
    options: ChangeOptions = {},
  ): Promise<'updated' | 'unchanged'> {
    return this.#change(() => {
      const copy = { ...changes }
      return (parts) => updateEndpoint(parts, name, copy, options)
    })
  }

  /**
   * Keeps what is to be delivered to the endpoint, events emitted meanwhile included, until it is resumed.
   * @throws {SyncError} `ENDPOINT_NOT_FOUND`
   */
  pauseEndpoint(name: string, options: ChangeOptions = {}): Promise<'updated' | 'unchanged'> {
    return this.#change(() => (parts) => setEndpointState(parts, name, 'paused', options))
  }

  /**
   * Delivers again, first of all what waits.
   * @throws {SyncError} `ENDPOINT_NOT_FOUND`
   */
  resumeEndpoint(name: string, options: ChangeOptions = {}): Promise<'updated' | 'unchanged'> {
    return this.#change(() => (parts) => setEndpointState(parts, name, 'active', options))
  }

  /**
   * Removes an endpoint; a delivery to it that is under way is discarded, with that reason on record.
   * @throws {SyncError} `ENDPOINT_NOT_FOUND`, or `ENDPOINT_HAS_WAITING` with their number where deliveries
   * wait and `discardWaiting` is not set
   */
  removeEndpoint(name: string, options: RemoveEndpointOptions = {}): Promise<void> {
    return this.#change(() => (parts) => removeEndpoint(parts, name, options))
  }

  /**
   * Gives an endpoint a new signing secret of the kind that it has, and returns what the receiver needs of it, which
   * is shown nowhere else. The one before signs beside it until the next rotation, or until `signingSecrets` is set.
   * @throws {SyncError} `ENDPOINT_NOT_FOUND`, or `ENDPOINT_UNUSABLE` where its secrets cannot be read
   */
  rotateSigningSecret(name: string, options: ChangeOptions = {}): Promise<RotatedSecret> {
    return this.#change(() => (parts) => rotateSigningSecret(parts, name, options))
  }

  /** @throws {SyncError} `ENDPOINT_NOT_FOUND` */
  getEndpoint(name: string): Promise<ShownEndpoint> {
    return this.#watch(() => this.#whenChanged((parts) => getEndpoint(parts, name)))
  }

  /**
   * The changes of an endpoint, also of one that was removed, latest first: who, when and which settings, never
   * a secret's value.
   * @throws {InvalidInputError}
   */
  endpointHistory(name: string, options: HistoryOptions = {}): Promise<EndpointChange[]> {
    return this.#watch(() => {
      const checked = parseHistoryOptions(options)
      return this.#whenChanged(({ store }) => store.history(name, checked))
    })
  }

  /**
   * Sends an `external-sync.ping` event to an endpoint once and says what came of it; starts no workflow.
   * @throws {SyncError} `ENDPOINT_NOT_FOUND`, or `ENDPOINT_UNUSABLE` where its stored settings are not accepted
   */
  testEndpoint(name: string): Promise<EndpointTestReport> {
    return this.#watch(() =>
      this.#whenChanged(async (parts) => {
        // What sends requests is loaded where it is needed; elsewhere workers do.
        const { testEndpoint } = await import('./client/test-endpoint.js')
        return testEndpoint(parts, name)
      }),
    )
  }

  /** All endpoints by name. */
  listEndpoints(): Promise<ShownEndpoint[]> {
    return this.#watch(() => this.#whenChanged(listEndpoints))
  }

  /**
   * Hands an event to Temporal. When it resolves, the event is safe and every subscribed endpoint gets it;
   * it never waits for an endpoint.
   * @throws {InvalidInputError}
   * @throws {EventConflictError} when the type and id were accepted before with other data
   * @throws {SyncError} `EVENT_NOT_ACCEPTED`
   */
  emit(type: string, data: unknown, options: EmitOptions = {}): Promise<Receipt> {
    return this.#watch(() => {
      const event = createEvent(type, data, options, this.#maxDataBytes())
      return traceEmit(event, (traced) => this.#whenChanged((parts) => this.#start(parts, traced)))
    })
  }

  /**
   * Emits many events at once: all are checked before the first is handed over. With `grouping` they go together.
   * @throws {InvalidInputError} on the first that could not be delivered as it was meant, such as `events[3]`; then
   * none was emitted
   * @throws {EventConflictError} as `emit` does
   * @throws {SyncError} `EVENT_NOT_ACCEPTED`; the others may have been accepted, and emitting them again with
   * their ids is harmless
   */
  emitMany(events: readonly EventToEmit[]): Promise<Receipt[]> {
    return this.#watch(() => {
      const created = createEvents(events, this.#maxDataBytes())
      return Promise.all(
        created.map((event) =>
          traceEmit(event, (traced) => this.#whenChanged((parts) => this.#start(parts, traced))),
        ),
      )
    })
  }

  /**
   * Lists events by what Temporal's visibility knows, such as those that wait for an endpoint.
   * @throws {InvalidInputError}
   */
  listEvents(options: ListEventsOptions = {}): Promise<EventPage> {
    return this.#watch(() => {
      const listing = parseListEventsOptions(options)
      return this.#whenChanged((parts) => listEvents(parts, listing))
    })
  }

  /**
   * Counts events without listing them, such as those that wait for an endpoint. Where a group has several, or an
   * event several thousand endpoints, it is their workflows that are counted.
   * @throws {InvalidInputError}
   */
  countEvents(options: CountEventsOptions = {}): Promise<number> {
    return this.#watch(() => {
      const filter = parseCountEventsOptions(options)
      return this.#whenChanged((parts) => countEvents(parts, filter))
    })
  }

  /**
   * Where an event's deliveries stand.
   * @throws {SyncError} `EVENT_NOT_FOUND`, or `NO_WORKER` when no worker is there to say
   */
  deliveries(type: string, id: string, options: DeliveriesOptions = {}): Promise<DeliveryPage> {
    return this.#watch(() => {
      const identity = parseEventIdentity(type, id)
      checkDeliveriesOptions(options)
      return this.#whenChanged((parts) => readDeliveries(parts, identity, options))
    })
  }

  /**
   * Waits until every delivery of an event has ended.
   * @returns whether they have, and not the wait alone
   * @throws {SyncError} `EVENT_NOT_FOUND`
   */
  waitForDeliveries(type: string, id: string, options: WaitOptions = {}): Promise<boolean> {
    return this.#watch(() => {
      const identity = parseEventIdentity(type, id)
      return this.#whenChanged((parts) => waitForDeliveries(parts, identity, options))
    })
  }

  /**
   * Begins a new attempt at once, whether the delivery waits or is being retried.
   * @throws {SyncError} `DELIVERY_NOT_OPEN` where it has ended or there is none, `EVENT_NOT_FOUND`, `NO_WORKER`
   */
  retryDelivery(type: string, id: string, endpoint: string): Promise<Delivery> {
    return this.#watch(() => {
      const identity = parseEventIdentity(type, id)
      return this.#whenChanged((parts) => retryDelivery(parts, identity, endpoint))
    })
  }

  /**
   * Gives a delivery up, unless an attempt that is under way delivers it; the reason stays on record.
   * @throws {SyncError} `DELIVERY_NOT_OPEN` where it has ended or there is none, `EVENT_NOT_FOUND`, `NO_WORKER`
   */
  discardDelivery(type: string, id: string, endpoint: string, reason: string): Promise<Delivery> {
    return this.#watch(() => {
      const identity = parseEventIdentity(type, id)
      const checked = parseDiscardReason(reason)
      return this.#whenChanged((parts) => discardDelivery(parts, identity, endpoint, checked))
    })
  }

  /**
   * How everything stands, a second or two ago: each endpoint, the latest events and the attempts of the last hour.
   * Costs the same however many endpoints there are and however much waits.
   * @throws {InvalidInputError}
   */
  status(options: StatusOptions = {}): Promise<SystemStatus> {
    return this.#watch(() => {
      const checked = parseStatusOptions(options)
      return this.#whenChanged(({ readStatus }) => readStatus(checked))
    })
  }

  /**
   * Resolves when Temporal and the endpoint store answer.
   * @throws {SyncError} `TEMPORAL_UNREACHABLE` or `STORE_UNAVAILABLE` where one does not within 2 s
   */
  checkReady(): Promise<void> {
    return this.#watch(async () => checkReady(await this.#connected()))
  }

  /**
   * Sends past events to an endpoint, the oldest first and up to 20 at a time, with all the guarantees of an event
   * and its `webhook-id`; what the endpoint has got before, it gets again. It goes on in Temporal, whatever becomes
   * of this process. `reachesBackTo` of the result says from when on Temporal has everything.
   * @throws {InvalidInputError}
   * @throws {SyncError} `ENDPOINT_NOT_FOUND`
   */
  startReplay(options: ReplayOptions): Promise<Replay> {
    return this.#watch(() => {
      const checked = parseReplayOptions(options)
      return this.#whenChanged((parts) => startReplay(parts, checked))
    })
  }

  /**
   * How far a replay is.
   * @throws {SyncError} `REPLAY_NOT_FOUND`
   */
  getReplay(id: string): Promise<Replay> {
    return this.#watch(() => this.#whenChanged((parts) => getReplay(parts, id)))
  }

  /** The replays that Temporal still knows, the latest first; one may be listed a second late. */
  listReplays(): Promise<Replay[]> {
    return this.#watch(() => this.#whenChanged(listReplays))
  }

  /**
   * Sends no more until it is resumed, a few seconds later at the latest; what waits for the endpoint goes on. A
   * replay that is over stays as it is.
   * @throws {SyncError} `REPLAY_NOT_FOUND`
   */
  pauseReplay(id: string): Promise<void> {
    return this.#watch(() => this.#whenChanged((parts) => pauseReplay(parts, id)))
  }

  /**
   * Goes on where it was paused.
   * @throws {SyncError} `REPLAY_NOT_FOUND`
   */
  resumeReplay(id: string): Promise<void> {
    return this.#watch(() => this.#whenChanged((parts) => resumeReplay(parts, id)))
  }

  /**
   * Sends no more, and gives up what it has sent and waits; the events' own deliveries are untouched.
   * @throws {SyncError} `REPLAY_NOT_FOUND`
   */
  cancelReplay(id: string): Promise<void> {
    return this.#watch(() => this.#whenChanged((parts) => cancelReplay(parts, id)))
  }

  /** Calls `listener` in this process after Temporal has accepted an event of this type. */
  on(type: 'error', listener: ErrorListener): this
  on(type: string, listener: EventListener): this
  on(type: string, listener: EventListener | ErrorListener): this {
    return this.#listen(type, listener, false)
  }

  /** As `on`, for the next time only. */
  once(type: 'error', listener: ErrorListener): this
  once(type: string, listener: EventListener): this
  once(type: string, listener: EventListener | ErrorListener): this {
    return this.#listen(type, listener, true)
  }

  /** Ends what `on` or `once` began. */
  off(type: 'error', listener: ErrorListener): this
  off(type: string, listener: EventListener): this
  off(type: string, listener: EventListener | ErrorListener): this {
    if (type === ERROR) this.#errorListeners.remove(type, listener as ErrorListener)
    else this.#eventListeners.remove(type, listener)
    return this
  }

  /**
   * Emits an event of type `eventType` whenever `source` emits `localName`.
   * @returns a function that ends it
   * @throws {InvalidInputError} on an event type that is not accepted
   */
  forward(
    source: EventSource,
    localName: string,
    eventType: string,
    options: ForwardOptions = {},
  ): () => void {
    parseEventType(eventType)
    const onError = (error: unknown): void => this.#report(error)
    return forward(source, localName, { onError, ...options }, (data, emitOptions) =>
      this.emit(eventType, data, emitOptions),
    )
  }

  /** Waits for the calls that are under way, then closes what was opened. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #maxDataBytes(): number {
    return this.#options.maxDataBytes ?? this.#configured().maxDataBytes
  }

  async #start({ starts, store }: ServiceParts, event: SyncEvent): Promise<Receipt> {
    const registryRevision = store.writtenRevision
    const receipt = await starts.start({ event, ...(registryRevision !== undefined && { registryRevision }) })
    if (receipt.duplicate !== true) this.#eventListeners.call(event.type, event.data, event)
    return receipt
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    const parts = await this.#parts?.catch(() => undefined)
    await parts?.close()
  }

  #listen(type: string, listener: EventListener | ErrorListener, once: boolean): this {
    if (type === ERROR) this.#errorListeners.add(type, listener as ErrorListener, once)
    else this.#eventListeners.add(parseEventType(type), listener, once)
    return this
  }

  /** A change of endpoints: checked when it is called, made after the one before. */
  #change<T>(prepare: () => (parts: ServiceParts) => Promise<T>): Promise<T> {
    return this.#watch(() => {
      const change = this.#whenChanged(prepare())
      this.#lastChange = change.catch(() => undefined)
      return change
    })
  }

  async #whenChanged<T>(work: (parts: ServiceParts) => Promise<T>): Promise<T> {
    await this.#lastChange
    return work(await this.#connected())
  }

  /** Runs a public call: what it throws rejects, and a rejection that nobody awaits is reported. */
  #watch<T>(call: () => Promise<T>): Promise<T> {
    const work = startAtOnce(() => (this.#closing === undefined ? call() : closed()))
    this.#underWay.add(work)
    const done = (): void => void this.#underWay.delete(work)
    work.then(done, done)
    return reportIfUnobserved(work, (error) => this.#report(error))
  }

  #report(error: unknown): void {
    if (!this.#errorListeners.call(ERROR, error)) this.#log().error({ err: error }, 'a call failed')
  }

  #connected(): Promise<ServiceParts> {
    if (this.#parts === undefined) {
      const parts = startAtOnce(() => openServiceParts(this.#options, this.#configured(), () => this.#log()))
      this.#parts = parts
      parts.catch(() => (this.#parts = undefined))
    }
    return this.#parts
  }

  #configured(): Config {
    this.#config ??= loadConfig(this.#options.env ?? process.env)
    return this.#config
  }

  #log(): Logger {
    this.#logger ??= this.#options.logger ?? createLogger(this.#configured().logLevel ?? 'warn')
    return this.#logger
  }
}

/** A service for the whole process: it connects on first use, by the environment. */
export const syncService: SyncService = new SyncService()

/** What `call` throws at once is a rejection too. */
async function startAtOnce<T>(call: () => Promise<T>): Promise<T> {
  return call()
}

function closed(): never {
  throw new SyncError('CLOSED', 'the SyncService is closed; connect another one with SyncService.connect()')
}
