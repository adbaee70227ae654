import { heartbeat } from '@temporalio/activity'

/** How often an activity tells the server that its worker lives, in milliseconds. */
const HEARTBEAT_INTERVAL_MS = 3_000

/** Tells the server that the worker lives, until the work is done. */
export async function withHeartbeats<T>(work: () => Promise<T>): Promise<T> {
  const beating = setInterval(() => heartbeat(), HEARTBEAT_INTERVAL_MS)
  try {
    return await work()
  } finally {
    clearInterval(beating)
  }
}
