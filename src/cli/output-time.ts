const UNITS = [
  ['d', 24 * 60 * 60_000],
  ['h', 60 * 60_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** A moment as it is seen from `now`: `2 m ago`, `in 40 s`, or `now`. */
export function relativeTime(at: string, now: Date = new Date()): string {
  const distanceMs = new Date(at).getTime() - now.getTime()
  const magnitude = Math.abs(distanceMs)
  const unit = UNITS.find(([, unitMs]) => magnitude >= unitMs)
  if (unit === undefined) return 'now'
  const [name, unitMs] = unit
  const span = `${Math.floor(magnitude / unitMs)} ${name}`
  return distanceMs > 0 ? `in ${span}` : `${span} ago`
}
