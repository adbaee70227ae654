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
  readonly #kept = new Map<string, { version: string; value: Value }>()

  constructor(private readonly options: VersionCacheOptions<Value>) {}

  get(endpoint: Endpoint): Value {
    const { name, version } = endpoint
    const kept = this.#kept.get(name)
    if (kept?.version === version) {
      this.#kept.delete(name)
      this.#kept.set(name, kept)
      return kept.value
    }
    const value = this.options.create(endpoint)
    this.#drop(name)
    this.#kept.set(name, { version, value })
    if (this.#kept.size > this.options.limit) {
      const [oldest] = this.#kept.keys()
      if (oldest !== undefined) this.#drop(oldest)
    }
    return value
  }

  values(): Value[] {
    return [...this.#kept.values()].map(({ value }) => value)
  }

  #drop(name: string): void {
    const kept = this.#kept.get(name)
    this.#kept.delete(name)
    if (kept !== undefined) this.options.drop?.(kept.value)
  }
}
