/** What has come of some work that is taken in order. */
export interface InOrder<T> {
  /** The results of the first ones, without a gap. */
  results: T[]
  /** Whether there was nothing more to take, and all of it is done. */
  isExhausted: boolean
  /** What has failed after them. */
  error?: unknown
}

/** How work is done in order. */
export interface Work<T, R> {
  concurrency: number
  /** Asked before the next item is taken. */
  mayGoOn: () => boolean
  /** Without a result, nothing more is taken, and the item counts as not taken. */
  work: (item: T) => Promise<R | undefined>
}

/**
 * Works on what comes, several at a time, until there is no more or something says to stop. Work that is under way then is
 * finished, but what follows a gap does not count.
 */
export async function workInOrder<T, R>(
  source: AsyncGenerator<T>,
  { concurrency, mayGoOn, work }: Work<T, R>,
): Promise<InOrder<R>> {
  const results: (R | undefined)[] = []
  let isOver = false
  let isStopped = false
  let failure: { error: unknown } | undefined
  const workOnNext = async (): Promise<void> => {
    while (!isStopped && mayGoOn()) {
      const next = await source.next()
      if (next.done === true) {
        isOver = true
        return
      }
      const at = results.push(undefined) - 1
      const result = await work(next.value)
      if (result === undefined) isStopped = true
      results[at] = result
    }
  }
  const worker = (): Promise<void> =>
    workOnNext().catch((error: unknown) => {
      isStopped = true
      failure ??= { error }
    })
  await Promise.all(Array.from({ length: concurrency }, worker))
  await source.return(undefined)
  const gap = results.indexOf(undefined)
  return {
    results: (gap === -1 ? results : results.slice(0, gap)) as R[],
    isExhausted: isOver && !isStopped,
    ...failure,
  }
}
