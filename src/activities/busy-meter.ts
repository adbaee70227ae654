import { performance } from 'node:perf_hooks'

/** What it says is of at least so long, in milliseconds. */
const MEASURED_MS = 50

/** The part of the time in which the event loop has work. */
const BUSY_UTILIZATION = 0.8

/** Says whether this process has had more work lately than it gets done. */
export function createBusyMeter(): () => boolean {
  let since = performance.eventLoopUtilization()
  let isBusy = false
  return () => {
    const { active, idle, utilization } = performance.eventLoopUtilization(since)
    if (active + idle >= MEASURED_MS) {
      isBusy = utilization >= BUSY_UTILIZATION
      since = performance.eventLoopUtilization()
    }
    return isBusy
  }
}
