/**
 * Runs `work` for 0 to `count` - 1 in a closed loop: `concurrency` callers, each of which begins its next call
 * when its last one has ended.
 */
export async function closedLoop(
  { count, concurrency }: { count: number; concurrency: number },
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < count) {
      const index = next
      next += 1
      await work(index)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
}
