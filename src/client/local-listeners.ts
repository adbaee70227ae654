import type { Json } from '../domain/json.js'
import type { SyncEvent } from '../domain/event.js'

/** Called in the emitting process after Temporal has accepted an event of its type. */
export type EventListener = (data: Json, event: SyncEvent) => unknown
/** Called with a failure that nobody awaited. */
export type ErrorListener = (error: unknown) => unknown

interface Registered<Listener> {
  listener: Listener
  once: boolean
}

/** Listeners by name; one that throws or rejects is reported and harms neither the others nor the caller. */
export class Listeners<Listener extends (...args: never[]) => unknown> {
  readonly #byName = new Map<string, Registered<Listener>[]>()

  constructor(private readonly onFailure: (name: string, error: unknown) => void) {}

  add(name: string, listener: Listener, once: boolean): void {
    this.#byName.set(name, [...(this.#byName.get(name) ?? []), { listener, once }])
  }

  /** Removes the listener's latest registration under this name. */
  remove(name: string, listener: Listener): void {
    const registered = this.#byName.get(name) ?? []
    const index = registered.findLastIndex((entry) => entry.listener === listener)
    if (index >= 0) this.#byName.set(name, registered.toSpliced(index, 1))
  }

  /** @returns whether there was anybody to call */
  call(name: string, ...args: Parameters<Listener>): boolean {
    const registered = this.#byName.get(name) ?? []
    this.#byName.set(
      name,
      registered.filter(({ once }) => !once),
    )
    for (const { listener } of registered) {
      try {
        Promise.resolve(listener(...args)).catch((error: unknown) => this.onFailure(name, error))
      } catch (error) {
        this.onFailure(name, error)
      }
    }
    return registered.length > 0
  }
}
