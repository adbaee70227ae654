import { heartbeat } from '@temporalio/activity'

/** How often an activity tells the server that its worker lives, in milliseconds. */
const HEARTBEAT_INTERVAL_MS = 3_000

/** Tells the server that the worker lives, and how far it is where there is something to tell, until the work is done. */
export async function withHeartbeats<T>(work: () => Promise<T>, progress?: () => number): Promise<T> {
  const beating = setInterval(() => heartbeat(progress?.()), HEARTBEAT_INTERVAL_MS)
  try {
    return await work()
  } finally {
    clearInterval(beating)
  }
}
