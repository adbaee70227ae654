/** How old an answer may be, in milliseconds, and how many times longer than it took to find out. */
const MAX_AGE_MS = 1_500
const MAX_LOAD = 5

/** An answer that is asked for once, for all who want it at about the same time. */
export interface SharedAnswer<T> {
  /** Whether it is there, and new enough. */
  isFresh(): boolean
  /** Asks where it is neither there nor under way. */
  get(): Promise<T>
}

/** Shares an answer for a second and a half, or for five times as long as it took, and a failure while it is awaited. */
export function sharedAnswer<T>(ask: () => Promise<T>): SharedAnswer<T> {
  let answer: Promise<T> | undefined
  let isUnderWay = false
  let freshUntil = -Infinity

  const isFresh = (): boolean => performance.now() <= freshUntil
  const begin = async (): Promise<T> => {
    const startedAt = performance.now()
    isUnderWay = true
    try {
      const found = await ask()
      const tookMs = performance.now() - startedAt
      freshUntil = performance.now() + Math.max(MAX_AGE_MS, tookMs * MAX_LOAD)
      return found
    } catch (error) {
      answer = undefined
      throw error
    } finally {
      isUnderWay = false
    }
  }
  return {
    isFresh,
    get: () => {
      if (answer === undefined || !(isUnderWay || isFresh())) answer = begin()
      return answer
    },
  }
}
