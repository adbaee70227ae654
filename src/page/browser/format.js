const MINUTE_S = 60
const HOUR_S = 60 * MINUTE_S
const DAY_S = 24 * HOUR_S

const numbers = new Intl.NumberFormat('en')
const timeOfDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/** How far this browser's clock is behind the server's, in milliseconds. */
let behindMs = 0

/**
 * Ages are counted by the server's clock.
 * @param {string | null} date the header of an answer, which counts in seconds
 */
export function setServerTime(date) {
  const differenceMs = date === null ? 0 : Date.parse(date) - Date.now()
  behindMs = Math.abs(differenceMs) < 2_000 ? 0 : differenceMs
}

/** The time by the server's clock, in milliseconds since the epoch. */
export function serverNow() {
  return Date.now() + behindMs
}

/** @param {number} number */
export function formatNumber(number) {
  return numbers.format(number)
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function counted(number, one, many = `${one}s`) {
  return `${formatNumber(number)} ${number === 1 ? one : many}`
}

/** @param {string} at RFC 3339 */
export function age(at) {
  const seconds = Math.round((serverNow() - Date.parse(at)) / 1_000)
  return seconds < 2 ? 'now' : `${span(seconds)} ago`
}

/**
 * How long until then.
 * @param {string} at RFC 3339
 */
export function until(at) {
  const seconds = Math.round((Date.parse(at) - serverNow()) / 1_000)
  return seconds < 2 ? 'now' : `in ${span(seconds)}`
}

/**
 * The time of day, with the date where it is another day.
 * @param {string} at RFC 3339
 */
export function clock(at) {
  const date = new Date(at)
  const isToday = date.toDateString() === new Date().toDateString()
  return isToday ? timeOfDay.format(date) : exact.format(date)
}

/** @param {string} at RFC 3339 */
export function exactTime(at) {
  return exact.format(new Date(at))
}

/** @param {number} ms */
export function duration(ms) {
  return ms < 1_000 ? `${formatNumber(Math.round(ms))} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** @param {number} seconds */
function span(seconds) {
  if (seconds < MINUTE_S) return `${seconds} s`
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min`
  if (seconds < 2 * DAY_S) return `${Math.floor(seconds / HOUR_S)} h`
  return `${Math.floor(seconds / DAY_S)} days`
}
