/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = at(sorted, Math.floor(middle))
  return Number.isInteger(middle) ? (at(sorted, middle - 1) + upper) / 2 : upper
}

/** The smallest value that at least `percent` of all values do not exceed (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return at(sorted, Math.max(Math.ceil((percent / 100) * sorted.length) - 1, 0))
}

/** The smallest and the largest value. */
export function spread(values: readonly number[]): [min: number, max: number] {
  return [Math.min(...values), Math.max(...values)]
}

/** As many digits as a measurement is worth: four. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function at(values: readonly number[], index: number): number {
  const value = values[index]
  if (value === undefined) throw new RangeError(`no value at ${index} of ${values.length} measured values`)
  return value
}
