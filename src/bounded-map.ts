/** A map that keeps the latest entries: what was added first goes first. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  /** One for good: a new iterator would pass over all that was deleted since the map was last rebuilt. */
  readonly #oldestFirst = this.keys()

  /** @param limit entries that are kept */
  constructor(private readonly limit: number) {
    super()
  }

  override set(key: Key, value: Value): this {
    super.set(key, value)
    if (this.size > this.limit) this.delete(this.#oldestFirst.next().value!)
    return this
  }
}
