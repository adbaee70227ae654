/** Who in this process wants to know of changes to which database. */
const listeners = new Map<string, (() => void)[]>()

/** Tells all readers of the database in this process that it has changed. */
export function announceWrite(location: string): void {
  for (const listener of listenersOf(location)) listener()
}

/** @returns a function that ends it */
export function onWriteTo(location: string, listener: () => void): () => void {
  listenersOf(location).push(listener)
  return () => {
    const others = listenersOf(location).filter((one) => one !== listener)
    if (others.length === 0) listeners.delete(location)
    else listeners.set(location, others)
  }
}

function listenersOf(location: string): (() => void)[] {
  const found = listeners.get(location) ?? []
  listeners.set(location, found)
  return found
}
