/**
 * Resolves when the function that `subscribe` is given has been called, or after `timeoutMs`; what `subscribe`
 * returns is called then. It keeps no process alive.
 */
export function untilCalled(
  timeoutMs: number,
  subscribe: (call: () => void) => () => unknown,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      unsubscribe()
      resolve()
    }
    const timer = setTimeout(done, timeoutMs)
    timer.unref()
    const unsubscribe = subscribe(done)
  })
}
