/** Counts what is under way for each endpoint in this process. */
export interface ConcurrencyLimiter {
  /** @returns a function that gives the place back; undefined where all `limit` places are taken */
  tryAcquire(endpoint: string, limit: number): (() => void) | undefined
}

export function createConcurrencyLimiter(): ConcurrencyLimiter {
  const underWay = new Map<string, number>()
  return {
    tryAcquire: (endpoint, limit) => {
      const taken = underWay.get(endpoint) ?? 0
      if (taken >= limit) return undefined
      underWay.set(endpoint, taken + 1)
      return () => {
        const left = (underWay.get(endpoint) ?? 1) - 1
        if (left > 0) underWay.set(endpoint, left)
        else underWay.delete(endpoint)
      }
    },
  }
}
