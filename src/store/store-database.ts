import type { Kysely, Transaction } from 'kysely'
import type { EndpointState } from '../domain/endpoint.js'
import type { EndpointChange } from './endpoint-store.js'
import type { Outage } from './outages.js'

/** The tables, as Kysely sees them. */
export interface Tables {
  endpoints: EndpointRow
  endpoint_changes: ChangeRow
  encryption_keys: KeyRow
  outages: OutageRow
  attempt_minutes: AttemptMinuteRow
  endpoint_attempts: EndpointAttemptsRow
}

/** Both are JSON. The settings hold nothing that is secret; the credentials are encrypted, each by itself. */
export interface EndpointRow {
  name: string
  settings: string
  credentials: string
  state: EndpointState
  /** A new UUIDv7 with every change. */
  version: string
  created_at: string
  updated_at: string
}

/** Only ever appended to. */
interface ChangeRow {
  revision: number
  name: string
  at: string
  actor: string
  action: EndpointChange['action']
  /** JSON. */
  fields: string
}

/** A key that encrypts something in the store. */
interface KeyRow {
  id: string
  /** A known text under this key, by which it is recognised. */
  check_text: string
}

/** An outage of an endpoint, until both its beginning and its end were told. */
export interface OutageRow {
  endpoint: string
  reason: Outage['reason']
  since: string
  error: string | null
  recovered_at: string | null
  /** 0 or 1. */
  is_told: number
}

/** What came of the attempts of an endpoint that ended in one minute; kept for two hours. */
export interface AttemptMinuteRow {
  /** Minutes since the epoch. */
  minute: number
  endpoint: string
  delivered: number
  failed: number
  /** Of those that delivered. */
  latency_ms_sum: number
  latency_ms_max: number
}

/** The latest attempts of an endpoint; times are milliseconds since the epoch. */
export interface EndpointAttemptsRow {
  endpoint: string
  delivered_at: number | null
  failed_at: number | null
  /** The first failure since the last delivery. */
  failing_since: number | null
  failure: string | null
}

/** A database that the endpoint store can be in. */
export interface StoreDatabase {
  kind: 'sqlite' | 'postgres'
  /** Names it without a password. */
  location: string
  db: Kysely<Tables>
  /** How old a reader may let what it knows become, in milliseconds. */
  maxStalenessMs: number
  /** Runs a change alone: nobody in any process writes between its first read and its last write. */
  write: <T>(change: (transaction: Transaction<Tables>) => Promise<T>) => Promise<T>
  /** Whether an error says that a table is missing. */
  isMissingTable: (error: unknown) => boolean
}
