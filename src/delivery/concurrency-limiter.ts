/** Counts what is under way for each endpoint in this process. */
export interface ConcurrencyLimiter {
  /** @returns a function that gives the place back; undefined where all `limit` places are taken */
  tryAcquire(endpoint: string, limit: number): (() => void) | undefined
  /** Whether `tryAcquire` would give a place now. */
  hasRoom(endpoint: string, limit: number): boolean
}

export function createConcurrencyLimiter(): ConcurrencyLimiter {
  const underWay = new Map<string, number>()
  return {
    tryAcquire: (endpoint, limit) => {
      if (!hasRoom(endpoint, limit)) return undefined
      underWay.set(endpoint, (underWay.get(endpoint) ?? 0) + 1)
      return () => {
        const left = (underWay.get(endpoint) ?? 1) - 1
        if (left > 0) underWay.set(endpoint, left)
        else underWay.delete(endpoint)
      }
    },
    hasRoom,
  }

  function hasRoom(endpoint: string, limit: number): boolean {
    return (underWay.get(endpoint) ?? 0) < limit
  }
}
