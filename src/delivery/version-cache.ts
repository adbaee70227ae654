import { LRUCache } from 'lru-cache'
import type { Endpoint } from '../domain/endpoint.js'

interface VersionCacheOptions<Value> {
  create(endpoint: Endpoint): Value
  /** Told of each value that is no longer kept. */
  drop?(value: Value): void
  /** Endpoints whose values are kept; the latest used stay. */
  limit: number
}

/** One value for each endpoint, as long as its version stays the same. */
export class VersionCache<Value> {
  readonly #kept: LRUCache<string, { version: string; value: Value }>

  constructor(private readonly options: VersionCacheOptions<Value>) {
    this.#kept = new LRUCache({ max: options.limit, dispose: ({ value }) => options.drop?.(value) })
  }

  get(endpoint: Endpoint): Value {
    const { name, version } = endpoint
    const kept = this.#kept.get(name)
    if (kept?.version === version) return kept.value
    const value = this.options.create(endpoint)
    this.#kept.set(name, { version, value })
    return value
  }

  values(): Value[] {
    return Array.from(this.#kept.values(), ({ value }) => value)
  }
}
