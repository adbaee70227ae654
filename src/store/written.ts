import { EventEmitter } from 'node:events'

/** Who in this process wants to know of changes to which database. */
const writes = new EventEmitter().setMaxListeners(0)

/** Tells all readers of the database in this process that it has changed. */
export function announceWrite(location: string): void {
  writes.emit(location)
}

/** @returns a function that ends it */
export function onWriteTo(location: string, listener: () => void): () => void {
  writes.on(location, listener)
  return () => void writes.off(location, listener)
}
