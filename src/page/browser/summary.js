import { byId, setAttribute, setText } from './dom.js'
import { counted, formatNumber } from './format.js'

/**
 * Shows the whole in a sentence and a few numbers.
 * @param {import('./wire.js').Status} status
 */
export function showSummary({ totals, waiting, minutes }) {
  const troubled = totals.behind + totals.retrying + totals.unusable
  const delivered = minutes.reduce((sum, minute) => sum + minute.delivered, 0)
  const failed = minutes.reduce((sum, minute) => sum + minute.failed, 0)
  const orMore = waiting.atLeast === true ? ' or more' : ''

  setText(byId('verdict', HTMLElement), verdictOf(totals, troubled))
  setAttribute(byId('verdict-mark', HTMLElement), 'data-tone', toneOf(totals, troubled))
  setText(byId('count-good', HTMLElement), formatNumber(totals.upToDate))
  setText(byId('count-bad', HTMLElement), formatNumber(troubled))
  setText(byId('count-paused', HTMLElement), formatNumber(totals.paused))
  setText(byId('count-waiting', HTMLElement), `${formatNumber(waiting.count)}${orMore}`)
  setText(byId('count-hour', HTMLElement), formatNumber(delivered))
  setText(byId('count-hour-failed', HTMLElement), counted(failed, 'failed attempt'))
  const title = troubled > 0 ? `(${troubled}) external-sync` : 'external-sync'
  if (document.title !== title) document.title = title
}

/**
 * @param {import('./wire.js').EndpointTotals} totals
 * @param {number} troubled
 */
function verdictOf({ all, upToDate, paused }, troubled) {
  if (all === 0) return 'No endpoint is registered yet'
  if (troubled > 0) return `${counted(troubled, 'endpoint')} of ${formatNumber(all)} in trouble`
  if (paused > 0)
    return `${formatNumber(upToDate)} of ${counted(all, 'endpoint')} up to date, ${formatNumber(paused)} paused`
  return all === 1 ? 'The endpoint is up to date' : `All ${formatNumber(all)} endpoints are up to date`
}

/**
 * @param {import('./wire.js').EndpointTotals} totals
 * @param {number} troubled
 */
function toneOf({ behind, unusable, paused }, troubled) {
  if (behind + unusable > 0) return 'bad'
  if (troubled > 0) return 'warn'
  return paused > 0 ? 'calm' : 'good'
}
