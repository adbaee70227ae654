import { onTestFinished, vi } from 'vitest'

/** Stops the time until the test has ended: it is what the test sets then. Timers go on. */
export function stopClock(now: Date = new Date()): void {
  vi.useFakeTimers({ toFake: ['Date'], now })
  onTestFinished(() => void vi.useRealTimers())
}

/** Lets so much time pass, in milliseconds, where it was stopped. */
export function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}
