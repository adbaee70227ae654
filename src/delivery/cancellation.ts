/**
 * What ends an exchange before its answer has come. An `AbortSignal` looks through its listeners at each new one, and
 * its events cost as much as the request: too much for hundreds of attempts that share one.
 */
export class Cancellation {
  readonly #listeners = new Set<(reason: Error) => void>()
  #reason: Error | undefined

  /** Why it was cancelled; undefined where it was not. */
  get reason(): Error | undefined {
    return this.#reason
  }

  cancel(reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    for (const listener of this.#listeners) listener(reason)
    this.#listeners.clear()
  }

  /**
   * Calls `listener` when it is cancelled, at once where it is.
   * @returns a function after which it is not called any more
   */
  onCancelled(listener: (reason: Error) => void): () => void {
    if (this.#reason === undefined) this.#listeners.add(listener)
    else listener(this.#reason)
    return () => this.#listeners.delete(listener)
  }

  /** Settles as the promise does, or rejects with the reason as soon as it is cancelled. */
  until<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const ignore = this.onCancelled(reject)
      promise.finally(ignore).then(resolve, reject)
    })
  }
}

const bySignal = new WeakMap<AbortSignal, Cancellation>()

/** What a signal cancels: one, with one listener, for all who ask. */
export function cancellationBy(signal: AbortSignal): Cancellation {
  const known = bySignal.get(signal)
  if (known !== undefined) return known
  const cancellation = new Cancellation()
  bySignal.set(signal, cancellation)
  const cancel = (): void => cancellation.cancel(signal.reason as Error)
  if (signal.aborted) cancel()
  else signal.addEventListener('abort', cancel, { once: true })
  return cancellation
}
