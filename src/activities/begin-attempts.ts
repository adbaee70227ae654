/** Attempts that are under way at the same time, of one event or to one endpoint. */
const CONCURRENCY = 20

/** The last of them begins within this time, in milliseconds: the others' outcomes wait for it. */
const BEGIN_WITHIN_MS = 1_000

/** Makes attempts a few at a time, in order; those to which it does not come in time are not made. */
export async function beginAttempts(attempts: readonly (() => Promise<void>)[]): Promise<void> {
  const beginsBefore = performance.now() + BEGIN_WITHIN_MS
  const queue = attempts.values()
  const makeNext = async (): Promise<void> => {
    for (const attempt of queue) {
      if (performance.now() > beginsBefore) return
      await attempt()
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, attempts.length) }, makeNext))
}
