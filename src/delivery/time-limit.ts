/** Parts of a limit that pass one after the other. */
const PARTS = 4

/**
 * Calls `onEnd` after a time in which this process could work: while it stands still, as one does that computes or
 * whose machine is busy, an answer may be there that nobody has read, so that a stop costs a part of the limit at most.
 * @returns a function that ends it before
 */
export function limitTime(limitMs: number, onEnd: () => void): () => void {
  let partsLeft = PARTS
  const endPart = (): void => {
    partsLeft -= 1
    if (partsLeft === 0) onEnd()
    else timer = setTimeout(endPart, limitMs / PARTS)
  }
  let timer = setTimeout(endPart, limitMs / PARTS)
  return () => clearTimeout(timer)
}
