/**
 * A promise that knows whether anybody waits for it. `await`, `then`, `catch` and the combinators all
 * arrive at `then`, as the constructor is not `Promise` itself (ECMA-262, PromiseResolve).
 */
class WatchedPromise<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  observed = false

  // oxlint-disable-next-line unicorn/no-thenable
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.observed = true
    return super.then(onFulfilled, onRejected)
  }
}

/**
 * Passes `work` on; when it fails and nobody waits for what is returned, the failure goes to `report` and
 * never ends the process as an unhandled rejection.
 */
export function reportIfUnobserved<T>(work: Promise<T>, report: (error: unknown) => void): Promise<T> {
  const watched = new WatchedPromise<T>((resolve, reject) => void work.then(resolve, reject))
  work.catch((error: unknown) => {
    setImmediate(() => {
      if (!watched.observed) report(error)
    })
  })
  void Promise.prototype.then.call(watched, undefined, () => undefined)
  return watched
}
